"""Home: what this is in three sentences, and one click to a fooled model."""

import streamlit as st

st.title("Robust Frog", anchor=False)
