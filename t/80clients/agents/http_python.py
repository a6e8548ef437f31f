# http_python.py urllib|http.client ADDRESS -- one of Python's own HTTP clients
# sends the requests that it reads on standard input.
import http.client
import json
import sys
import urllib.error
import urllib.request

library, address = sys.argv[1:]
connection = http.client.HTTPConnection(address)


def by_urllib(path, headers, body):
    request = urllib.request.Request("http://" + address + path, body, headers)
    try:
        return urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        return error


def by_http_client(path, headers, body):
    connection.request("POST", path, body, headers)
    return connection.getresponse()


send = by_urllib if library == "urllib" else by_http_client
for line in sys.stdin:
    request = json.loads(line)
    body = json.dumps(request["body"]).encode()
    response = send(request["path"], request["headers"], body)
    answer = {
        "id": request["id"],
        "status": response.status,
        "headers": {k.lower(): v for k, v in response.headers.items()},
        "body": response.read().decode(),
    }
    print(json.dumps(answer), flush=True)
