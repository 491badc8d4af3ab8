"""
Serving predictions
===================

A regressor is trained, written as a graph of ONNX, and served over HTTP by onnxruntime
behind a few lines of FastAPI. The server needs neither this library nor TensorFlow nor
scikit-learn. A new token gets a vector by `fold_in`, and the server the new graph.
"""

import tempfile
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from skembed import EmbeddingRegressor
from skembed.datasets import load_flights
from skembed.export import to_onnx

flights = load_flights(as_frame=True)
some = flights.frame.sample(8000, random_state=0)
columns = ["carrier", "origin", "dest", "hour"]
known = some[some["dest"] != "SEA"]  # a destination that will be new
regressor = EmbeddingRegressor(4, epochs=10, random_state=0)
regressor.fit(known[columns], known["air_time"])

path = Path(tempfile.mkdtemp()) / "flights.onnx"
model = to_onnx(regressor, path, outputs=["prediction", "interval"])
print(f"{path.stat().st_size / 1000:.0f} kB")

# %%
# The server
# ----------
# One input for each column, of shape (n_rows, 1). A missing hour is NaN, a missing
# text an empty string. This part has nothing of skembed in it.


class Flight(BaseModel):
    """A flight; what is not known may be left out."""

    carrier: str = ""
    origin: str = ""
    dest: str = ""
    hour: float | None = None


def open_session():
    """Read the graph; a request that runs keeps the session that it began with."""
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


app = FastAPI()
app.state.session = open_session()


@app.post("/predict")
def predict(rows: list[Flight]):
    """Predict the minutes in the air, and the interval that holds nine in ten."""
    feeds = {
        name: np.array([[getattr(row, name)] for row in rows], dtype=object)
        for name in ("carrier", "origin", "dest")
    }
    feeds["hour"] = np.array([[row.hour] for row in rows], dtype=np.float64)
    found = app.state.session.run(None, feeds)
    return np.concatenate(found, axis=1).round(1).tolist()


@app.post("/reload")
def reload():
    """Take the file as it is now: it is always whole."""
    app.state.session = open_session()


# %%
# It runs in a thread here; elsewhere, by ``uvicorn server:app``.

server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
thread = threading.Thread(target=server.run, daemon=True)
thread.start()
while not server.started:
    time.sleep(0.01)
port = server.servers[0].sockets[0].getsockname()[1]
client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False)

seattle = {"carrier": "AS", "origin": "EWR", "dest": "SEA", "hour": 7}
rows = [{"carrier": "UA", "origin": "EWR", "dest": "BOS"}, seattle]
for row, answer in zip(rows, client.post("/predict", json=rows).json(), strict=True):
    print(row["dest"], answer)

# %%
# Seattle is a token that fit has not seen: the prediction is that of the prior, and its
# interval is wide. The answers are those of `predict`:

known_row = known[columns].head(1)
asked = [{k: v for k, v in known_row.iloc[0].items() if v == v}]
answer = client.post("/predict", json=asked).json()[0][0]
print(answer, regressor.predict(known_row).round(1)[0])

# %%
# A new token
# -----------
# `fold_in` learns a vector from a few rows of the new destination, with everything else
# frozen, in a moment. The file is replaced at once when all of it is on the disk.

new = some[some["dest"] == "SEA"].head(20)
regressor.fold_in(new[columns], new["air_time"])
to_onnx(regressor, path, outputs=["prediction", "interval"])
client.post("/reload")
print(client.post("/predict", json=[seattle]).json()[0])

# %%
# How fast it is
# --------------
# One client that waits for each answer, one row and a hundred rows at a time, and the
# graph alone.

for n in (1, 100):
    body = [seattle] * n
    start = time.perf_counter()
    for _ in range(200):
        client.post("/predict", json=body)
    took = (time.perf_counter() - start) / 200
    print(f"{n} rows: {1 / took:.0f} requests and {n / took:.0f} rows per second")

feeds = {name: np.array([[seattle[name]]], object) for name in columns[:3]}
feeds["hour"] = np.array([[7.0]])
start = time.perf_counter()
for _ in range(2000):
    app.state.session.run(None, feeds)
print(f"the graph alone: {(time.perf_counter() - start) * 500:.0f} microseconds a row")

client.close()
server.should_exit = True
thread.join()
