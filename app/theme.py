"""The only custom CSS: tokens that follow the light and dark switch, and the few classes of our own."""

import streamlit as st

PRIMARY = "#4366E0"
PRIMARY_SOFT = "#90A8F2"
TEAL = "#12A08C"
GOLD = "#C4871A"
LILAC = "#9975BD"
SLATE = "#8592A8"
CORAL = "#DE5B48"
CORAL_SOFT = "#E9A197"
SERIES = (PRIMARY, TEAL, GOLD, LILAC, SLATE)

_LEAVE = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' "
    "stroke='%23DFE6F7' stroke-width='1.8' stroke-linecap='round' stroke-linejoin='round'%3E"
    "%3Cpath d='M14 4H6a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h8M10 12h10M16.5 8l4 4-4 4'/%3E%3C/svg%3E"
)

CSS = """
:root{
 --b-primary:light-dark(#2B50D4,#7D9AF1);--b-muted:light-dark(#5D6B82,#93A0B8);
 --b-track:light-dark(#E8ECF4,#1D2740);--b-line:light-dark(#E3E8F0,#263149);
 --b-green:light-dark(#0B7A53,#3CCB95);--b-red:light-dark(#B93726,#F1806F);
 --b-ink:light-dark(#101828,#E7ECF6);--b-tint:light-dark(#F4F6FC,#151F38);
}
.stApp{font-feature-settings:"calt" 0,"cv11" 1}
[data-testid="stMetricValue"],[data-testid="stMetricDelta"]{font-variant-numeric:tabular-nums;letter-spacing:-.015em}
[class*="st-key-"] [role="radio"][aria-checked="true"] p{color:var(--b-primary)}
.b-hero{color:var(--b-ink);font-size:1rem;line-height:1.5}
.b-hero .b-label{color:var(--b-muted);font-size:.8rem;font-weight:600}
.b-hero .b-number{font-size:2.75rem;font-weight:650;line-height:1.12;letter-spacing:-.025em;
 font-variant-numeric:tabular-nums;margin:.1rem 0 .35rem}
.b-hero p{margin:0;max-width:34em}
.b-hero strong{font-weight:650}
.b-bar{height:8px;border-radius:4px;background:var(--b-track);overflow:hidden;margin:1rem 0 .4rem}
.b-bar>span{display:block;height:100%;border-radius:4px;background:var(--b-primary)}
.b-ends{display:flex;justify-content:space-between;gap:1rem;color:var(--b-muted);font-size:.85rem}
.b-aside{color:var(--b-muted);font-size:.85rem;margin-top:.9rem}
.b-title{font-weight:600;font-size:1rem;color:var(--b-ink);line-height:1.4}
.b-sub{color:var(--b-muted);font-size:.85rem;line-height:1.45}
.b-list{color:var(--b-ink);font-size:.93rem}
.b-list>div{display:grid;grid-template-columns:1fr auto;gap:0 1rem;padding:.5rem 0}
.b-list small{color:var(--b-muted);font-size:.82rem}
.b-list .b-figure{text-align:right;font-weight:550;font-variant-numeric:tabular-nums}
.b-lines{width:100%;border-collapse:collapse;color:var(--b-ink);font-size:.93rem}
.b-lines td,.b-lines th{padding:.55rem 0;border:0;border-bottom:1px solid var(--b-line);
 text-align:left;vertical-align:top;font-weight:400}
.b-lines td:last-child{text-align:right;font-variant-numeric:tabular-nums;
 white-space:nowrap;padding-left:1rem}
.b-lines small{display:block;color:var(--b-muted);font-size:.82rem}
.b-lines tr.b-total th,.b-lines tr.b-total td{font-weight:650;border-bottom:0;
 border-top:1px solid var(--b-ink)}
.b-lines tr.b-total small{font-weight:400}
.b-good{color:var(--b-green)}.b-bad{color:var(--b-red)}
.b-empty{padding:1.5rem 0;color:var(--b-muted)}
.b-empty strong{display:block;color:var(--b-ink);font-weight:600;margin-bottom:.15rem}
.b-course{display:grid;gap:.3rem}
.b-course .b-sub{display:flex;justify-content:space-between;gap:.5rem}
.b-price{font-size:1.2rem;font-weight:650;letter-spacing:-.015em;color:var(--b-ink);font-variant-numeric:tabular-nums}
.b-large{font-size:2.25rem;letter-spacing:-.025em;line-height:1.15}
.b-tag{color:var(--b-green);font-weight:600;white-space:nowrap}
.b-text{color:var(--b-ink)}.b-text p{margin:0 0 .75rem;max-width:42em}
a.b-button{display:block;text-align:center;padding:.45rem .8rem;border-radius:8px;background:#2B50D4;
 color:#FFFFFF;font-size:.94rem;font-weight:500;text-decoration:none}
a.b-button:hover{background:#213FA8}
a.b-button:focus-visible{outline:2px solid var(--b-primary);outline-offset:2px}
.b-code{font-family:ui-monospace,monospace;font-size:.85em}
.b-person{display:grid;grid-template-columns:1fr auto;align-items:center;gap:.75rem;
 color:#DFE6F7;border-top:1px solid #2A3A66;padding-top:.85rem}
.b-person strong{display:block;font-weight:600;overflow-wrap:anywhere}
.b-person small{color:#93A2C6;font-size:.85rem}
.b-person a{display:block;width:40px;height:40px;border-radius:8px;
 background:url("@leave@") center/20px no-repeat}
.b-person a:hover{background-color:#1A2950}
.b-person a:focus-visible{outline:2px solid #AFC2FA}
.st-key-person{position:absolute;bottom:1rem;left:1.5rem;right:1.5rem;width:auto}
@media (max-width:640px){.st-key-header_controls{justify-content:flex-start}}
@media (max-height:480px){.st-key-person{position:static}}
""".replace("@leave@", _LEAVE)


def send() -> None:
    """Put the style into this run's page; it takes no room there."""
    st.html(f"<style>{CSS}</style>")
