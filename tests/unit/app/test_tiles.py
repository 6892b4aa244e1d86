"""Sentences with somebody's words in them."""

from app.parts import tiles


def test_template_may_be_bold_and_facts_stay_inert() -> None:
    html = tiles.sentence("**{name}** brought in {share} of it.", name="<b>**Polars**</b>", share="54%")
    assert html == "<strong>&lt;b&gt;**Polars**&lt;/b&gt;</strong> brought in 54% of it."
