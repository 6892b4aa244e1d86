"""The page that a browser loads first."""

import base64
import gzip
import hashlib
import re

from app.assets import streamlit_assets
from app.document import document, rewritten, script_hashes

PAGE = document().plain.decode()


def test_title_icon_colour_language_and_font_are_ours() -> None:
    assert '<html lang="en"' in PAGE
    assert "<title>Bursar</title>" in PAGE
    assert 'href="./app/static/brand/mark.svg"' in PAGE
    assert PAGE.count('name="theme-color"') == 2
    assert "inter-latin-wght-normal.woff2" in PAGE


def test_nothing_of_streamlits_own_face_is_left() -> None:
    assert "SourceSans" not in PAGE
    assert "agent" not in PAGE
    assert "favicon.png" not in PAGE


def test_streamlits_scripts_are_all_still_there() -> None:
    assert re.search(r'<script type="module" crossorigin src="./static/js/index\.[\w-]+\.js">', PAGE)
    assert PAGE.count("modulepreload") > 20


def test_every_inline_script_is_named_by_its_hash() -> None:
    inline = re.findall(r"<script>(.*?)</script>", PAGE, flags=re.DOTALL)
    wanted = tuple(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in inline
    )
    assert len(wanted) == 2
    assert script_hashes(PAGE) == wanted == document().script_hashes


def test_compressed_form_is_the_same_page() -> None:
    assert gzip.decompress(document().zipped).decode() == PAGE


def test_a_page_without_what_we_remove_stays_whole() -> None:
    bare = '<!DOCTYPE html><html lang="de"><title>x</title><body><div id="root"></div></body></html>'
    assert '<div id="root"></div>' in rewritten(bare)


def test_assets_are_squeezed_once_and_stay_inside_their_folder() -> None:
    squeezed = streamlit_assets()
    name = re.search(r"static/(js/index\.[\w-]+\.js)", PAGE)
    assert name is not None
    body = squeezed.bytes_of(name[1])
    assert body is not None
    assert gzip.decompress(body) == (squeezed.folder / name[1]).read_bytes()
    assert squeezed.bytes_of(name[1]) is body
    assert squeezed.bytes_of("../index.html") is None
    assert squeezed.bytes_of("../../../config.py") is None
    assert squeezed.bytes_of("js/absent.js") is None
