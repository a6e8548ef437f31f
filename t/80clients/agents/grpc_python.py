# grpc_python.py TARGET [CERTIFICATE] -- grpc of Python makes the calls that it
# reads on standard input.
import base64
import json
import sys
import threading

import grpc

if len(sys.argv) > 2:
    with open(sys.argv[2], "rb") as file:
        credentials = grpc.ssl_channel_credentials(file.read())
    channel = grpc.secure_channel(sys.argv[1], credentials)
else:
    channel = grpc.insecure_channel(sys.argv[1])

lock = threading.Lock()
going = {}


def encode(value):
    return base64.b64encode(value or b"").decode()


def answer(id, future):
    if future.cancelled():
        said = {"code": 1, "message": "cancelled"}
    elif future.exception():
        trailers = dict(future.trailing_metadata() or ())
        said = {
            "code": future.code().value[0],
            "message": future.details(),
            "status": encode(trailers.get("grpc-status-details-bin")),
        }
    else:
        said = {"code": 0, "reply": encode(future.result())}
    with lock:
        print(json.dumps({"id": id, **said}), flush=True)


for line in sys.stdin:
    request = json.loads(line)
    if "cancel" in request:
        going[request["cancel"]].cancel()
        continue
    id = request["id"]
    timeout = request.get("timeout")
    future = channel.unary_unary(request["path"]).future(
        base64.b64decode(request["message"]),
        timeout=timeout and timeout / 1000,
        metadata=tuple(request["metadata"].items()),
    )
    going[id] = future
    future.add_done_callback(lambda future, id=id: answer(id, future))
channel.close()
