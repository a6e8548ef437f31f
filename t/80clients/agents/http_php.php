<?php
// http_php.php ADDRESS -- PHP's curl sends the requests that it reads on
// standard input.
$curl = curl_init();

while (($line = fgets(STDIN)) !== false) {
    $request = json_decode($line);
    $headers = [];
    $sent = [];
    foreach ($request->headers as $name => $value)
        $sent[] = "$name: $value";
    curl_setopt_array($curl, [
        CURLOPT_URL => "http://{$argv[1]}{$request->path}",
        CURLOPT_HTTPHEADER => $sent,
        CURLOPT_POSTFIELDS => json_encode($request->body),
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_HEADERFUNCTION => function ($curl, $line) use (&$headers) {
            if (preg_match('/^([^:]+): *(.*?)\s*$/', $line, $found))
                $headers[strtolower($found[1])] = $found[2];
            return strlen($line);
        },
    ]);
    $body = curl_exec($curl);
    echo json_encode([
        'id' => $request->id,
        'status' => curl_getinfo($curl, CURLINFO_RESPONSE_CODE),
        'headers' => $headers,
        'body' => $body === false ? curl_error($curl) : $body,
    ]), "\n";
    fflush(STDOUT);
}
