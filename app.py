"""Robust Frog: see that adversarial examples are features. Start with `make app`, or `streamlit run app.py`."""

import streamlit as st

if __name__ == "app":  # the server imports this file for its routes, and then runs it as a script for every visit
    from pages.ui.synthesis_live import ROUTES

    app = st.App("app.py", routes=ROUTES)
else:
    st.set_page_config(page_title="Robust Frog", page_icon="🐸", layout="wide")
    st.session_state["navigated"] = True  # see pages.ui.shell.header
    st.navigation(
        [
            st.Page("pages/home.py", title="Home", icon=":material/home:", default=True),
            st.Page("pages/perturb.py", title="Perturb", icon=":material/tune:", url_path="perturb"),
            st.Page("pages/frog.py", title="Robust frog", icon=":material/auto_awesome:", url_path="frog"),
            st.Page("pages/datasets.py", title="Datasets", icon=":material/dataset:", url_path="datasets"),
            st.Page("pages/gaussian.py", title="Gaussian", icon=":material/bubble_chart:", url_path="gaussian"),
            st.Page("pages/saliency.py", title="Saliency", icon=":material/gradient:", url_path="saliency"),
            st.Page("pages/synthesis.py", title="Synthesis", icon=":material/brush:", url_path="synthesis"),
            st.Page("pages/transfer.py", title="Transfer", icon=":material/grid_on:", url_path="transfer"),
            st.Page("pages/usefulness.py", title="Usefulness", icon=":material/scatter_plot:", url_path="usefulness"),
        ],
        position="top",
    ).run()
