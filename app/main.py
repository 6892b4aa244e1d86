"""The entry of every run: who looks, what they may open, and the page itself."""

import streamlit as st

from app import navigation, theme
from app.parts import frame, live, states
from app.viewer import check_again, current_user
from services.kernel.errors import Refusal

frame.page_config()
theme.send()
live.let_go()
check_again()
viewer = current_user()
if viewer is None:
    st.navigation([st.Page(states.signed_out, title="Signed out")], position="hidden").run()
    st.stop()
menu = navigation.sections_for(viewer)
if not menu:
    st.navigation([st.Page(states.no_pages, title="Welcome")], position="hidden").run()
    frame.sidebar(viewer)
    st.stop()
page = st.navigation(menu)
frame.sidebar(viewer)
try:
    page.run()
except Refusal as refusal:
    states.refused_page(page.title, refusal)
except Exception as error:  # noqa: BLE001 - the shell is where a page's crash ends
    states.failed_page(error)
