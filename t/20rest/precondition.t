# If-Match and If-None-Match: what they accept, judge and answer.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use UserProfile;

my $site = site();
my %auth = bearer($site);
my $user = human($site);
my $path = "/users/$user/profile";
my $ours = "/management/v1$path";
my ($sequence, $turn) = (1, 0);

sub change {
    return { firstName => 'N' . ++$turn, lastName => 'L', displayName => 'D' };
}

sub get {
    my (%header) = @_;
    return request(GET => $ours, { %auth, %header });
}

sub put {
    my (%header) = @_;
    return request(PUT => $ours, { %auth, %header }, change());
}

# S stands for the stored sequence, T for the next; 400 means malformed.
my @cases = (
    # what                          If-Match            If-None-Match    GET   PUT
    ['no precondition',                                     undef,              undef,           200,  200],
    ['If-Match: the stored sequence',                       '"S"',              undef,           200,  200],
    ['If-Match: the next sequence',                         '"T"',              undef,           412,  412],
    ['If-Match: zero',                                      '"0"',              undef,           412,  412],
    ['If-Match: *',                                         '*',                undef,           200,  200],
    ['If-Match: * between blanks',                          " \t* ",            undef,           200,  200],
    ['If-Match: a list with the sequence',                  '"1000", "S"',      undef,           200,  200],
    ['If-Match: a list without blanks',                     '"1000","S","T"',   undef,           200,  200],
    ['If-Match: a list with empty elements and tabs',       ", ,\t\"S\" ,,",    undef,           200,  200],
    ['If-Match: a list without the sequence',               '"T", "1000"',      undef,           412,  412],
    ['If-Match: an empty list',                             '',                 undef,           412,  412],
    ['If-Match: only commas',                               ',,',               undef,           412,  412],
    ['If-Match: a weak tag',                                'W/"S"',            undef,           412,  412],
    ['If-Match: a weak and a strong tag',                   'W/"S", "S"',       undef,           200,  200],
    ['If-Match: the tag with mod_deflate\'s suffix',        '"S-gzip"',         undef,           200,  200],
    ['If-Match: the tag with mod_brotli\'s suffix',         '"S-br"',           undef,           200,  200],
    ['If-Match: a weak tag with mod_deflate\'s suffix',     'W/"S-gzip"',       undef,           412,  412],
    ['If-Match: the tag with an unknown suffix',            '"S-zstd"',         undef,           412,  412],
    ['If-Match: the tag with a suffix twice',               '"S-gzip-gzip"',    undef,           412,  412],
    ['If-Match: the tag with a suffix in capitals',         '"S-GZIP"',         undef,           412,  412],
    ['If-Match: a suffix without a tag',                    '"-gzip"',          undef,           412,  412],
    ['If-Match: a leading zero',                            '"0S"',             undef,           412,  412],
    ['If-Match: a sign',                                    '"+S"',             undef,           412,  412],
    ['If-Match: a number beyond 64 bits',                   '"18446744073709551616"', undef,     412,  412],
    ['If-Match: a number that overflows to a small one',    '"1844674407370955161S"', undef,     412,  412],
    ['If-Match: an empty tag',                              '""',               undef,           412,  412],
    ['If-Match: a tag that is no number',                   '"x"',              undef,           412,  412],
    ['If-Match: a tag with a comma',                        '"S,T"',            undef,           412,  412],
    ['If-Match: a tag beyond ASCII',                        "\"\xc3\xa9\"",     undef,           412,  412],
    ['If-Match: 8,000 bytes of tags',                       '"1000",' x 1000 . '"S"', undef,     200,  200],
    ['If-Match: no quotes',                                 'S',                undef,           400,  400],
    ['If-Match: no closing quote',                          '"S',               undef,           400,  400],
    ['If-Match: no opening quote',                          'S"',               undef,           400,  400],
    ['If-Match: single quotes',                             "'S'",              undef,           400,  400],
    ['If-Match: a tag with a blank',                        '"S T"',            undef,           400,  400],
    ['If-Match: w/ for W/',                                 'w/"S"',            undef,           400,  400],
    ['If-Match: W without a slash',                         'W"S"',             undef,           400,  400],
    ['If-Match: W/ without a tag',                          'W/',               undef,           400,  400],
    ['If-Match: a blank after W/',                          'W/ "S"',           undef,           400,  400],
    ['If-Match: * and a tag',                               '*, "S"',           undef,           400,  400],
    ['If-Match: a tag and *',                               '"S", *',           undef,           400,  400],
    ['If-Match: **',                                        '**',               undef,           400,  400],
    ['If-Match: two tags without a comma',                  '"S" "S"',          undef,           400,  400],
    ['If-Match: two tags with a semicolon',                 '"S"; "T"',         undef,           400,  400],
    ['If-None-Match: the stored sequence',                  undef,              '"S"',           304,  412],
    ['If-None-Match: a weak tag',                           undef,              'W/"S"',         304,  412],
    ['If-None-Match: the tag with mod_deflate\'s suffix',   undef,              '"S-gzip"',      304,  412],
    ['If-None-Match: a weak tag with mod_brotli\'s suffix', undef,              'W/"S-br"',      304,  412],
    ['If-None-Match: *',                                    undef,              '*',             304,  412],
    ['If-None-Match: a list with the sequence',             undef,              '"T" , W/"S"',   304,  412],
    ['If-None-Match: another sequence',                     undef,              '"T"',           200,  200],
    ['If-None-Match: a list without the sequence',          undef,              '"T", "x"',      200,  200],
    ['If-None-Match: an empty list',                        undef,              '',              200,  200],
    ['If-None-Match: no quotes',                            undef,              'S',             400,  400],
    ['If-None-Match: * and a tag',                          undef,              '*,"S"',         400,  400],
    ['If-Match and If-None-Match, both hold',               '"S"',              '"T"',           200,  200],
    ['If-Match and If-None-Match, the second fails',        '"S"',              '"S"',           304,  412],
    ['If-Match and If-None-Match, the first fails',         '"T"',              '"T"',           412,  412],
    ['If-Match and If-None-Match, both fail',               '"T"',              '"S"',           412,  412],
    ['If-Match and If-None-Match, both *',                  '*',                '*',             304,  412],
    ['If-Match and If-None-Match, the second malformed',    '"T"',              'x',             400,  400],
);
for my $case (@cases) {
    my ($what, $match, $none_match, $get, $put) = @$case;
    my $now = sub {
        my ($value) = @_;
        my $next = $sequence + 1;
        return $value =~ s/S/$sequence/gr =~ s/T/$next/gr;
    };
    my %header;
    $header{'If-Match'}      = $now->($match)      if defined $match;
    $header{'If-None-Match'} = $now->($none_match) if defined $none_match;

    my $got = get(%header);
    is $got->code, $get, "$what: GET answers $get";
    is $got->header('ETag'), $get =~ /^[23]/ ? "\"$sequence\"" : undef, "$what: its ETag";

    $got = put(%header);
    is $got->code, $put, "$what: PUT answers $put";
    $sequence++ if $put == 200;
    is $got->header('ETag'), $put == 200 ? "\"$sequence\"" : undef, "$what: its ETag";
    my $message = decode($got)->{message} // '';
    my $wrong = $what =~ /^If-None-Match|second/ ? 'If-None-Match' : 'If-Match';
    like $message, $put == 412 ? qr/^the stored sequence is $sequence$/ : qr/^\Q$wrong\E is /,
        "$what: the message to PUT" if $put != 200;
    is reason($got), $put == 412 ? 'SEQUENCE_MISMATCH' : $put == 400 ? 'BODY_INVALID' : '', "$what: the reason to PUT";
    is decode(get())->{details}{sequence}, $sequence, "$what: the sequence after PUT";
}

# The answers in full.
my $mismatch =
    qq({"code":10,"message":"the stored sequence is $sequence","details":[{"\@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"SEQUENCE_MISMATCH","domain":"userprofile"}]});
is get('If-Match' => '"0"')->content, $mismatch, '412 to GET: the body, to the byte';
is put('If-Match' => '"0"')->content, $mismatch, '412 to PUT: the body, to the byte';
is put('If-None-Match' => '*')->content, $mismatch, '412 for If-None-Match: the body, to the byte';
is request(HEAD => $ours, { %auth, 'If-Match' => '"0"' })->code, 412, 'HEAD is 412 too';
for my $method (qw(GET HEAD)) {
    my ($status, $header, $body) = plain_request($method, $ours,
        "Authorization: $auth{Authorization}", 'If-None-Match: *');
    is $status, 304, "304 to $method";
    is_deeply $header, { 'cache-control' => 'no-store', etag => "\"$sequence\"", 'x-content-type-options' => 'nosniff' },
        "304 to $method: these headers";
    is $body, '', "304 to $method: no body";
}
like raw("GET $ours HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: $auth{Authorization}\r\n"
        . "If-Match: \"0\"\r\nIf-Match: \"$sequence\"\r\n\r\n"),
    qr/^HTTP.1\.1 200 /, 'two If-Match headers are one list';
like raw("GET $ours HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: $auth{Authorization}\r\n"
        . "If-Match: *\r\nIf-Match: *\r\n\r\n"),
    qr/^HTTP.1\.1 400 .*If-Match/s, 'two If-Match: * are malformed';

# Which fault is answered first.
my $same = { firstName => "N$turn", lastName => 'L', displayName => 'D' };
my $off  = "/management/v1/users/$site->{admin}/profile";
my %gigi = (firstName => 'Gigi', lastName => 'Giraffe', displayName => 'Gigi Giraffe');
my @order = (
    ['an unknown user comes before If-Match: *',           PUT => 'nobody',       'If-Match' => '*',        \%gigi, 'PROFILE_NOT_FOUND'],
    ['an unknown user comes before If-None-Match: *',      PUT => 'nobody',       'If-None-Match' => '*',   \%gigi, 'PROFILE_NOT_FOUND'],
    ['GET: an unknown user comes before If-Match: *',      GET => 'nobody',       'If-Match' => '*',        undef,  'USER_NOT_FOUND'],
    ['GET: an unknown user comes before If-None-Match: *', GET => 'nobody',       'If-None-Match' => '*',   undef,  'USER_NOT_FOUND'],
    ['If-Match comes before unchanged values',             PUT => $site->{admin}, 'If-Match' => '"9"',      \%gigi, 'SEQUENCE_MISMATCH'],
    ['unchanged values come after If-Match that holds',    PUT => $site->{admin}, 'If-Match' => '"1"',      \%gigi, 'PROFILE_NOT_CHANGED'],
    ['If-None-Match comes before unchanged values',        PUT => $site->{admin}, 'If-None-Match' => '"1"', \%gigi, 'SEQUENCE_MISMATCH'],
    ['a field at fault comes before If-Match',             PUT => $site->{admin}, 'If-Match' => '"9"',      {},     'FIELD_INVALID'],
    ['a malformed If-Match comes before the fields',       PUT => $site->{admin}, 'If-Match' => '9',        {},     'BODY_INVALID'],
);
for my $case (@order) {
    my ($what, $method, $id, $name, $value, $body, $reason) = @$case;
    is reason(request($method => "/management/v1/users/$id/profile", { %auth, $name => $value }, $body)),
        $reason, "$what: $reason";
}

# Behind mod_deflate the tag that a client got names what it read.
my $deflate = "/deflate$path";
my $got = request(GET => $deflate, { %auth, 'Accept-Encoding' => 'gzip' });
is $got->header('Content-Encoding'), 'gzip', 'mod_deflate compresses the answer';
my $tag = $got->header('ETag');
is $tag, "\"$sequence-gzip\"", 'mod_deflate adds a suffix to ETag';
like $got->decoded_content(charset => 'none'), qr/"sequence":"$sequence"/, 'mod_deflate leaves the body\'s content alone';
for my $method (qw(GET HEAD)) {
    my $got = request($method => $deflate, { %auth, 'Accept-Encoding' => 'gzip', 'If-None-Match' => $tag });
    is $got->code, 304, "an ETag with mod_deflate's suffix in If-None-Match: 304 to $method";
    is $got->content, '', "an ETag with mod_deflate's suffix in If-None-Match: no body to $method";
}
$got = request(PUT => $deflate, { %auth, 'Accept-Encoding' => 'gzip', 'If-Match' => $tag }, change());
is $got->code, 200, 'an ETag with mod_deflate\'s suffix in If-Match: the change is made';
is $got->header('Content-Encoding'), 'gzip', 'the answer to a change is compressed';
my $next = $got->header('ETag');
is $next, '"' . ++$sequence . '-gzip"', 'the answer to a change has the next ETag';
$got = request(PUT => $deflate, { %auth, 'Accept-Encoding' => 'gzip', 'If-Match' => $tag }, change());
is $got->code, 412, 'an old ETag with mod_deflate\'s suffix in If-Match: 412';
like $got->decoded_content(charset => 'none'), qr/"the stored sequence is $sequence"/, 'a 412 behind mod_deflate has a body that can be read';
is request(PUT => $ours, { %auth, 'If-Match' => $next }, change())->code, 200, 'an ETag with mod_deflate\'s suffix holds where nothing is compressed';
$sequence++;

# Of many who saw the same, one may change it.
my @children;
for my $i (1 .. 8) {
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        my $code = request(PUT => $ours, { %auth, 'If-Match' => "\"$sequence\"" },
            { firstName => "child $i", lastName => 'L', displayName => 'D' })->code;
        require POSIX;
        POSIX::_exit($code == 200 ? 1 : $code == 412 ? 2 : 3);
    }
    push @children, $pid;
}
my %outcome;
for my $pid (@children) {
    waitpid $pid, 0;
    $outcome{ $? >> 8 }++;
}
is_deeply \%outcome, { 1 => 1, 2 => 7 }, 'of 8 changes with one ETag at once 1 is made and 7 get 412';
is decode(get())->{details}{sequence}, $sequence + 1, 'the sequence is counted up once';

done_testing;
