"""The base model: fetched, built, and run.

In come the files of a pinned language model, and token ids. Out go an ONNX graph, a tokenizer, and the
probabilities of the next token. Only this room runs the model and knows its weights.
"""

import os

# Recent versions of onnxruntime (1.32 is one) report their use to their maker, and keep a database for that in the
# user's home, unless this says no before the library is first imported. (Its own function that turns reports off
# comes too late: the database is there by then.)
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# numpy's products here are small. A second thread gains nothing on an idle processor, and where others are at work the
# two wait for each other: a text took 1.7 times as long to be read for secrets.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
