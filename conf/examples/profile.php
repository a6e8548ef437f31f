<?php
// profile.php USER -- PHP's curl reads and changes a nick name. $URL and $TOKEN
// say where and who; "make run" leaves them in build/run/env.
function call($method, $body = null, $etag = null)
{
    global $argv;
    $curl = curl_init(getenv('URL') . "/v2/users/{$argv[1]}");
    curl_setopt_array($curl, [
        CURLOPT_CUSTOMREQUEST => $method,
        CURLOPT_HTTPHEADER => array_filter(['Authorization: Bearer ' . getenv('TOKEN'),
            'Content-Type: application/json', $etag ? "If-Match: $etag" : '']),
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_HEADERFUNCTION => function ($curl, $line) use (&$tag) {
            $tag = preg_match('/^ETag: *(\S+)/i', $line, $found) ? $found[1] : $tag;
            return strlen($line);
        }] + ($body ? [CURLOPT_POSTFIELDS => json_encode($body)] : []));
    $answer = json_decode(curl_exec($curl));
    return [curl_getinfo($curl, CURLINFO_RESPONSE_CODE), $tag, $answer];
}

// Change it if the user is still the one with $etag; if not, look again.
function change($name, $etag = null)
{
    [$status, , $answer] = call('PATCH', ['human' => ['profile' => ['nickName' => $name]]], $etag);
    if ($status === 412) {
        [, $etag, $now] = call('GET');
        echo "conflict: it is {$now->user->human->profile->nickName} now\n";
        return change($name, $etag);
    }
    $at = array_merge(...array_map(fn($d) => $d->fieldViolations ?? [], $answer->details ?? []))[0] ?? null;
    echo $status === 200 ? "changed to $name\n"
        : ($at ? "refused: $at->field: $at->description\n" : "failed: $answer->message\n");
}

[, $etag, $now] = call('GET');
echo "read: it is {$now->user->human->profile->nickName}\n";
change('Tall', $etag);
change('Small', $etag); // of before the first change
change(str_repeat('x', 201));
