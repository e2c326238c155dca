"""Ask the app on this machine whether it is up; ends non-zero where it is not."""

import os
import urllib.request

port = os.environ.get("STREAMLIT_SERVER_PORT", "8501")
base = os.environ.get("STREAMLIT_SERVER_BASE_URL_PATH", "").strip("/")
urllib.request.urlopen(f"http://127.0.0.1:{port}/{base + '/' if base else ''}_stcore/health", timeout=5)
