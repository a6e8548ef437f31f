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
    ['neither',                     undef,              undef,           200,  200],
    ['the stored one',              '"S"',              undef,           200,  200],
    ['the next one',                '"T"',              undef,           412,  412],
    ['zero',                        '"0"',              undef,           412,  412],
    ['any',                         '*',                undef,           200,  200],
    ['any between blanks',          " \t* ",            undef,           200,  200],
    ['a list with it',              '"1000", "S"',      undef,           200,  200],
    ['a list without blanks',       '"1000","S","T"',   undef,           200,  200],
    ['empty elements and tabs',     ", ,\t\"S\" ,,",    undef,           200,  200],
    ['a list without it',           '"T", "1000"',      undef,           412,  412],
    ['an empty list',               '',                 undef,           412,  412],
    ['only commas',                 ',,',               undef,           412,  412],
    ['weak',                        'W/"S"',            undef,           412,  412],
    ['weak and strong',             'W/"S", "S"',       undef,           200,  200],
    ['as mod_deflate writes it',    '"S-gzip"',         undef,           200,  200],
    ['as mod_brotli writes it',     '"S-br"',           undef,           200,  200],
    ['weak by mod_deflate',         'W/"S-gzip"',       undef,           412,  412],
    ['another suffix',              '"S-zstd"',         undef,           412,  412],
    ['a suffix twice',              '"S-gzip-gzip"',    undef,           412,  412],
    ['a suffix in capitals',        '"S-GZIP"',         undef,           412,  412],
    ['only a suffix',               '"-gzip"',          undef,           412,  412],
    ['a leading zero',              '"0S"',             undef,           412,  412],
    ['a sign',                      '"+S"',             undef,           412,  412],
    ['beyond 64 bits',              '"18446744073709551616"', undef,     412,  412],
    ['64 bits and S',               '"1844674407370955161S"', undef,     412,  412],
    ['an empty tag',                '""',               undef,           412,  412],
    ['a word',                      '"x"',              undef,           412,  412],
    ['a tag with a comma',          '"S,T"',            undef,           412,  412],
    ['a tag beyond ASCII',          "\"\xc3\xa9\"",     undef,           412,  412],
    ['8,000 bytes of tags',         '"1000",' x 1000 . '"S"', undef,     200,  200],
    ['no quotes',                   'S',                undef,           400,  400],
    ['no end',                      '"S',               undef,           400,  400],
    ['no beginning',                'S"',               undef,           400,  400],
    ['other quotes',                "'S'",              undef,           400,  400],
    ['a blank in it',               '"S T"',            undef,           400,  400],
    ['a small w',                   'w/"S"',            undef,           400,  400],
    ['weak without a slash',        'W"S"',             undef,           400,  400],
    ['weak without a tag',          'W/',               undef,           400,  400],
    ['a blank after W/',            'W/ "S"',           undef,           400,  400],
    ['any and a tag',               '*, "S"',           undef,           400,  400],
    ['a tag and any',               '"S", *',           undef,           400,  400],
    ['any twice',                   '**',               undef,           400,  400],
    ['no comma',                    '"S" "S"',          undef,           400,  400],
    ['a semicolon',                 '"S"; "T"',         undef,           400,  400],
    ['none: the stored one',        undef,              '"S"',           304,  412],
    ['none: weak',                  undef,              'W/"S"',         304,  412],
    ['none: by mod_deflate',        undef,              '"S-gzip"',      304,  412],
    ['none: weak by mod_brotli',    undef,              'W/"S-br"',      304,  412],
    ['none: any',                   undef,              '*',             304,  412],
    ['none: a list with it',        undef,              '"T" , W/"S"',   304,  412],
    ['none: another',               undef,              '"T"',           200,  200],
    ['none: a list without it',     undef,              '"T", "x"',      200,  200],
    ['none: an empty list',         undef,              '',              200,  200],
    ['none: malformed',             undef,              'S',             400,  400],
    ['none: any and a tag',         undef,              '*,"S"',         400,  400],
    ['both, and both hold',         '"S"',              '"T"',           200,  200],
    ['both, the second fails',      '"S"',              '"S"',           304,  412],
    ['both, the first fails',       '"T"',              '"T"',           412,  412],
    ['both fail',                   '"T"',              '"S"',           412,  412],
    ['both any',                    '*',                '*',             304,  412],
    ['both, the second malformed',  '"T"',              'x',             400,  400],
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
    my $wrong = $what =~ /none|second/ ? 'If-None-Match' : 'If-Match';
    like $message, $put == 412 ? qr/^the stored sequence is $sequence$/ : qr/^\Q$wrong\E is /,
        "$what: the message says so" if $put != 200;
    is reason($got), $put == 412 ? 'SEQUENCE_MISMATCH' : $put == 400 ? 'BODY_INVALID' : '', "$what: the reason";
    is decode(get())->{details}{sequence}, $sequence, "$what: the sequence now";
}

# The answers in full.
my $mismatch =
    qq({"code":10,"message":"the stored sequence is $sequence","details":[{"\@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"SEQUENCE_MISMATCH","domain":"userprofile"}]});
is get('If-Match' => '"0"')->content, $mismatch, '412 to GET, to the byte';
is put('If-Match' => '"0"')->content, $mismatch, '412 to PUT, to the byte';
is put('If-None-Match' => '*')->content, $mismatch, 'for If-None-Match too';
is request(HEAD => $ours, { %auth, 'If-Match' => '"0"' })->code, 412, 'HEAD alike';
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
    qr/^HTTP.1\.1 200 /, 'the header twice is one list';
like raw("GET $ours HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: $auth{Authorization}\r\n"
        . "If-Match: *\r\nIf-Match: *\r\n\r\n"),
    qr/^HTTP.1\.1 400 .*If-Match/s, 'any twice is malformed';

# Which fault is answered first.
my $same = { firstName => "N$turn", lastName => 'L', displayName => 'D' };
my $off  = "/management/v1/users/$site->{admin}/profile";
my %gigi = (firstName => 'Gigi', lastName => 'Giraffe', displayName => 'Gigi Giraffe');
my @order = (
    ['nobody there, any',              PUT => 'nobody',       'If-Match' => '*',        \%gigi, 'PROFILE_NOT_FOUND'],
    ['nobody there, none',             PUT => 'nobody',       'If-None-Match' => '*',   \%gigi, 'PROFILE_NOT_FOUND'],
    ['nobody there, to GET',           GET => 'nobody',       'If-Match' => '*',        undef,  'USER_NOT_FOUND'],
    ['nobody there, none, to GET',     GET => 'nobody',       'If-None-Match' => '*',   undef,  'USER_NOT_FOUND'],
    ['the same values, another tag',   PUT => $site->{admin}, 'If-Match' => '"9"',      \%gigi, 'SEQUENCE_MISMATCH'],
    ['the same values, the tag',       PUT => $site->{admin}, 'If-Match' => '"1"',      \%gigi, 'PROFILE_NOT_CHANGED'],
    ['the same values, none',          PUT => $site->{admin}, 'If-None-Match' => '"1"', \%gigi, 'SEQUENCE_MISMATCH'],
    ['a field at fault',               PUT => $site->{admin}, 'If-Match' => '"9"',      {},     'FIELD_INVALID'],
    ['malformed before the fields',    PUT => $site->{admin}, 'If-Match' => '9',        {},     'BODY_INVALID'],
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
is $tag, "\"$sequence-gzip\"", 'and changes its tag';
like $got->decoded_content(charset => 'none'), qr/"sequence":"$sequence"/, 'not what it says';
for my $method (qw(GET HEAD)) {
    my $got = request($method => $deflate, { %auth, 'Accept-Encoding' => 'gzip', 'If-None-Match' => $tag });
    is $got->code, 304, "that tag in If-None-Match: 304 to $method";
    is $got->content, '', 'with no body';
}
$got = request(PUT => $deflate, { %auth, 'Accept-Encoding' => 'gzip', 'If-Match' => $tag }, change());
is $got->code, 200, 'that tag in If-Match: the change is made';
is $got->header('Content-Encoding'), 'gzip', 'and its answer compressed';
my $next = $got->header('ETag');
is $next, '"' . ++$sequence . '-gzip"', 'with the next tag';
$got = request(PUT => $deflate, { %auth, 'Accept-Encoding' => 'gzip', 'If-Match' => $tag }, change());
is $got->code, 412, 'the tag before: 412';
like $got->decoded_content(charset => 'none'), qr/"the stored sequence is $sequence"/, 'the sequence in a readable body';
is request(PUT => $ours, { %auth, 'If-Match' => $next }, change())->code, 200, 'a tag is good where nothing is compressed';
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
is_deeply \%outcome, { 1 => 1, 2 => 7 }, 'of 8 with one tag, 1 changes it and 7 get 412';
is decode(get())->{details}{sequence}, $sequence + 1, 'and it has changed once';

done_testing;
