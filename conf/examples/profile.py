# profile.py USER -- Python's standard library reads and changes a nick name.
# $URL and $TOKEN say where and who; "make run" leaves them in build/run/env.
import json
import os
import sys
import urllib.error
import urllib.request

url = f"{os.environ['URL']}/v2/users/{sys.argv[1]}"


def call(method, body=None, etag=None):
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}", "Content-Type": "application/json"}
    headers |= {"If-Match": etag} if etag else {}
    data = json.dumps(body).encode() if body else None
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method)) as answer:
        return answer.headers["ETag"], json.load(answer)


def change(name, etag=None):
    """Change it if the user is still the one with etag; if not, look again."""
    try:
        call("PATCH", {"human": {"profile": {"nickName": name}}}, etag)
        print(f"changed to {name}")
    except urllib.error.HTTPError as error:
        if error.code == 412:
            etag, now = call("GET")
            print(f"conflict: it is {now['user']['human']['profile']['nickName']} now")
            return change(name, etag)
        status = json.load(error)
        fields = [field for detail in status["details"] for field in detail.get("fieldViolations", [])]
        print(f"refused: {fields[0]['field']}: {fields[0]['description']}" if fields else f"failed: {status['message']}")


etag, now = call("GET")
print(f"read: it is {now['user']['human']['profile']['nickName']}")
change("Tall", etag)
change("Small", etag)  # of before the first change
change("x" * 201)
