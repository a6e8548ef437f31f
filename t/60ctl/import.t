# import.t -- import and export: the same store again, and bad lines.
use strict;
use warnings;

use Ctl;
use Digest::SHA qw(sha256_hex);
use Test::More;

my @lines = split /\n/, <<'END';
{"org":{"id":"O1","name":"Example"}}
{"org":{"id":"O2"}}
{"user":{"id":"M1","orgId":"O1","type":"machine","state":"active","sequence":"1","creationDate":"2025-03-25T09:00:00Z","changeDate":"2025-03-25T09:00:00Z"}}
{"user":{"id":"U1","orgId":"O1","type":"human","state":"locked","sequence":"12","creationDate":"2025-03-25T09:00:00.100Z","changeDate":"2025-03-25T10:28:47.405123Z","profile":{"firstName":"Gigi","lastName":"Giraffe","nickName":"Gig","displayName":"Gigi Giraffe","preferredLanguage":"de-CH","gender":"GENDER_FEMALE"}}}
{"user":{"id":"Ü2","orgId":"O2","type":"human","state":"removed","sequence":"9223372036854775807","creationDate":"2025-03-25T09:00:00Z","changeDate":"2025-03-25T09:00:00Z","profile":{"firstName":"名","lastName":"姓","displayName":"名 姓"}}}
{"member":{"userId":"I1","roles":["IAM_OWNER","IAM_OWNER_VIEWER"]}}
{"member":{"orgId":"O1","userId":"A1","roles":["ORG_OWNER"]}}
{"token":{"userId":"A1","sha256":"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff","creationDate":"2025-03-25T09:00:00Z","expires":"2030-01-01T00:00:00Z"}}
END

# A change of the first name of U1.
sub event {
    my ($number, $user) = @_;
    $user //= 'U1';
    return qq({"event":{"number":"$number","type":"profile.changed","time":"2025-03-25T09:00:00Z","orgId":"O1","userId":"$user","by":"A1",)
        . '"sequence":"2","fields":["firstName"],"before":{"firstName":"Gigi"},"after":{"firstName":"F"}}}';
}

sub events_of {
    my ($store) = @_;
    return split /\n/, (ctl($store, qw(events --json)))[1];
}

sub import_text {
    my ($store, $text, @options) = @_;
    return run($text, tool(), '-s', $store, 'import', '-', @options);
}

# The same again.

my $store = store(@lines);
is_deeply([lines_of($store)], \@lines, 'export prints what import read');
my ($code, $out) = import_text($store, join "\n", lines_of($store));
is($code, 0, 'import takes what export printed, also without a last newline');
like($out, qr/\Aimported 8 lines in [\d.]+ s, \d+ lines a second: 0 added, 0 changed, 8 unchanged\n\z/,
    'import says how many lines it read, and what they changed');
is_deeply([lines_of($store)], \@lines, 'importing an export into the same store changes nothing');
is_deeply([lines_of(store(lines_of($store)))], \@lines, 'importing an export into an empty store gives an equal store');

my $BY    = quotemeta('tool:' . (getpwuid($<) // $<));
my $file = spew(folder() . '/users.jsonl', join "\n", @lines);
my $SHA256 = sha256_hex(slurp($file));
my @events = events_of(store(@lines));
is(scalar @events, 1, 'an import is one event');
like($events[0], qr/^\{"event":\{"number":"1","type":"store\.imported","time":"[^"]+","by":"$BY",
    "detail":"sha256=[0-9a-f]{64}\ added=8\ changed=0\ unchanged=0"\}\}$/x,
    'the event of an import says who made it, and what it did');
($code) = ctl($store, 'import', $file);
is($code, 0, 'a file is imported by its name');
like((events_of($store))[-1], qr/"detail":"sha256=$SHA256 added=0 changed=0 unchanged=8"/,
    'the event of an import has the SHA-256 of the file');
is((import_text($store, ''))[0], 0, 'import takes an empty file');
my $before = (ctl($store, 'events'))[1];
import_text($store, "{}\n$lines[0]");
is((ctl($store, 'events'))[1], $before, 'an import that keeps no line is no event');

# What a line replaces.

import_text($store,
    '{"user":{"id":"U1","orgId":"O1","type":"human","sequence":"3",'
        . '"profile":{"firstName":"New","lastName":"Name"}}}', '--force');
my ($user) = grep { /"id":"U1"/ } lines_of($store);
like(
    $user,
    qr/"state":"active","sequence":"3",.*
        "profile":\{"firstName":"New","lastName":"Name",
        "displayName":"New\ Name"\}/x,
    'a line replaces the user that it names, its sequence too');

# Display names: one that is empty, as UpdateHumanUser may leave it, and one that
# is not there.
sub human {
    my ($id, $names) = @_;
    return '{"user":{"id":"' . $id . '","orgId":"O1","type":"human","state":"active","sequence":"2",'
        . '"creationDate":"2025-03-25T09:00:00Z","changeDate":"2025-03-25T09:00:00Z",'
        . '"profile":{"firstName":"F","lastName":"L"' . $names . '}}}';
}
my @cleared = ('{"org":{"id":"O1"}}', human('U1', ',"displayName":""'));
my $cleared = store(@cleared);
is_deeply([lines_of($cleared)], \@cleared, 'an empty display name is imported and exported as it is');
is_deeply([lines_of(store(lines_of($cleared)))], \@cleared,
    'an export with an empty display name gives an equal store');
import_text($cleared, join "\n", human('U2', ''), human('U3', ',"displayName":null'));
ctl($cleared, qw(user add O1 U4 --first-name F --last-name L --display-name), '');
my %shown = map { /"id":"(U\d)".*"displayName":"(.*?)"/ ? ($1 => $2) : () } lines_of($cleared);
is($shown{U2}, 'F L', 'a line without a display name gets the first and the last name');
is($shown{U3}, 'F L', 'a line with null as display name gets the first and the last name');
is($shown{U4}, 'F L', 'user add with an empty display name gives the first and the last name');

# A token's text is hashed; 'abc' has a well-known SHA-256.
my $abc = '{"token":{"userId":"A1","token":"abc"}}';
is((run($abc, tool(), '-s', $store, qw(import --allow-weak -)))[0], 0,
    'a weak token is taken with --allow-weak');
ok((grep { /"sha256":"ba7816bf8f01cfea4141/ } lines_of($store)) == 1,
    "import hashes the text of a token");
ok(!(grep { /abc"/ } lines_of($store)), 'import does not keep the text of a token');

is((import_text($store, '{"token":{"userId":"A1","token":"0123456789abcdef"}}'))[0], 0,
    'a token of 16 characters is taken');

# Lines that are empty are counted, no more.

($code, $out) = import_text($store, "\n\r\n$lines[0]\r\n  \n$lines[1]\n\n");
is($code, 0, 'import skips empty lines');
like($out, qr/^imported 2 lines /, 'import does not count empty lines');

# Bad lines: what is wrong with the third of five.

my $O    = '{"org":{"id":"%s"}}';
my @bad  = (
    ['a line that is not JSON',   'hello',                  qr/.../],
    ['a line that is cut',        '{"org":{"id":"O"',       qr/.../],
    ['a line of two objects',     '{"org":{"id":"O"}} {}',  qr/.../],
    ['a line with a NUL byte',    "{\"org\":\0{}}",         qr/.../],
    ['a line that is not UTF-8',  "{\"org\":{\"id\":\"\xff\"}}", qr/.../],
    ['a line of an unknown kind', '{"group":{"id":"O"}}',
        'the line is no org, user, member, token or event'],
    ['an event without a type', '{"event":{"number":"2"}}', 'event has no type'],
    ['an event of an unknown type', event(2) =~ s/profile\.changed/profile.eaten/r, "event has the unknown type 'profile.eaten'"],
    ['an event of field that is none', event(2) =~ s/"fields":\[/$&"shoeSize",/r, "fields of event has 'shoeSize', which is none"],
    ['an event with values of other fields', event(2) =~ s/"before":\{/$&"lastName":"L",/r, 'before of event must have just what fields names'],
    ['an event with a value that is too long', event(2) =~ s/"F"/'"' . 'F' x 201 . '"'/er,
        'after of event 2 is invalid: firstName: value length must be between 1 and 200 runes, inclusive'],
    ['an event in the place of another', event(1), 'event 1 is another one here'],
    ['an unknown member', '{"org":{"id":"O","nmae":"x"}}',
        "org has an unknown member, 'nmae'"],
    ['an empty id', '{"org":{"id":""}}',
        'the id of an organisation must be 1 to 200 bytes of UTF-8 without '
            . 'control characters, and neither . nor ..'],
    ['the user ..', '{"user":{"id":"..","orgId":"A","type":"machine"}}',
        qr/^the id of a user must be .* neither \. nor \.\.$/],
    ['a token of the user .', '{"token":{"userId":".","token":"t"}}',
        qr/^the user of a token must be .* neither \. nor \.\.$/],
    ['a profile with a field at fault',
        '{"user":{"id":"U","orgId":"A","type":"human",'
            . '"profile":{"firstName":"","lastName":"L"}}}',
        "the profile of user 'U' is invalid: firstName: value length must be "
            . 'between 1 and 200 runes, inclusive'],
    ['a role with a blank', '{"member":{"userId":"U","roles":["a b"]}}',
        qr/^a role of user 'U' must be/],
    ['a token that cannot be sent', '{"token":{"userId":"U","token":"a b"}}',
        qr/^no client can send this token/],
    ['a token of 15 characters',
        '{"token":{"userId":"U","token":"0123456789abcde"}}',
        'the token has less than 16 characters and could be guessed; '
            . '--allow-weak takes it all the same'],
    ['an unknown organisation',
        '{"user":{"id":"U","orgId":"Z","type":"machine"}}', qr/Z/],
    ['a user of another organisation',
        '{"user":{"id":"taken","orgId":"A","type":"machine"}}', qr/taken/],
    ['a membership in an unknown organisation',
        '{"member":{"userId":"U","orgId":"Z","roles":["R"]}}', qr/Z/],
    ['a line one byte too long', ' ' x (1024 * 1024 + 1), 'it is longer than 1048576 '
            . 'bytes'],
    ['a line far too long', 'x' x (5 * 1024 * 1024), 'it is longer than '
            . '1048576 bytes'],
);

for my $row (@bad) {
    my ($name, $line, $sentence) = @$row;
    my $store = store('{"org":{"id":"H"}}',
        '{"user":{"id":"taken","orgId":"H","type":"machine"}}');
    my ($code, $out, $err) = import_text($store, join "\n",
        map({ sprintf $O, $_ } qw(A B)),
        $line, map({ sprintf $O, $_ } qw(C D)));
    is($code, 1, "$name stops the import");
    my ($said) = $err =~ m{\Auserprofilectl:\ the\ import\ stopped\ at\ line\ 3
        \ of\ '-';\ the\ lines\ before\ it\ are\ kept:\ (.*)\n\z}x;
    ref $sentence
        ? like($said, $sentence, "$name: the message says why")
        : is($said, $sentence, "$name: the message says why");
    is_deeply([map { /"org":\{"id":"(\w)"/ } lines_of($store)], [qw(A B H)],
        "$name: the lines before it are kept, and no others");
    like($out, qr/^imported 2 lines /, "$name: the output counts the lines that were kept");
    my @events = events_of($store);
    is(scalar @events, 2, "$name: an import that stops is one event");
    like($events[-1], qr/"detail":"sha256=[0-9a-f]{64} added=2 changed=0 unchanged=0 stopped"/,
        "$name: the event says that the import stopped, and has the SHA-256 of the whole file");
}

# A line in a later batch, and one as long as may be.
my $many = store();
($code, undef, my $err) = import_text($many,
    join("\n", map { sprintf $O, "O$_" } 1 .. 2500) . "\nbad\n");
like($err, qr/ line 2501 of /, 'a bad line in a later batch is named by its number');
is(scalar(lines_of($many)), 2500, 'the lines of the batches before a bad line are kept');
($code) = import_text($many, ' ' x (1024 * 1024 - length $lines[0]) . $lines[0]);
is($code, 0, 'a line of 1 MiB is imported');

# Events: they keep their numbers, and the import is none then.
my @history = (@lines, map { event($_) } 3, 4, 9);
my $moved = store(@history);
is(export_of($moved), join('', map { "$_\n" } @history), 'export prints the events that import read, and no others');
is((import_text($moved, join "\n", @history))[1] =~ s/ in .*? second//r, "imported 11 lines: 0 added, 0 changed, 11 unchanged\n",
    'events that are there are left as they are');
is(export_of($moved), join('', map { "$_\n" } @history), 'importing an export with events twice is the same as once');
is(export_of($store, qw(--org O1)), join('', map { "$_\n" } $lines[0], (grep { /"orgId":"O1"/ } lines_of($store))),
    'export --org prints an organisation with its users and members, and no events');
import_text($store, '{"token":{"userId":"U1","sha256":"' . 'ab' x 32 . '"}}');
like(export_of($store, qw(--org O1)), qr/^\{"member".*\n\{"token":\{"userId":"U1","sha256":"abab[^\n]*\n\z/m, '... and the tokens of its users, and no others');
like((ctl($store, qw(export --org O9)))[2], qr/ no organisation 'O9'/, 'export --org of an unknown organisation is an error');
is_deeply([lines_of($moved)], \@lines, 'export --no-events prints all the rest');
import_text($moved, event(20));
is(scalar events_of($moved), 4, 'an import of further events is no event of its own');
my @refused = (
    ['a number that another event has', event(4, 'U2'), 'event 4 is another one here'],
    ['a number before the last one',    event(7),       'event 7 is not here, and cannot come after event 21'],
    ['values of an erased user', event(30, 'E'), "event 30 has values of user 'E', who was erased here"],
);
import_text($moved, '{"user":{"id":"E","orgId":"O1","type":"human","state":"removed","profile":{}}}');
my @there = events_of($moved);
like($there[-1], qr/"number":"21","type":"store\.imported"/, 'the next event gets a number above those that were imported');
for my $force ([], ['--force']) {
    for my $row (@refused) {
        my ($name, $line, $why) = @$row;
        my (undef, undef, $err) = import_text($moved, "$line\n$lines[0]\n", @$force);
        is($err, "userprofilectl: the import stopped at line 1 of '-'; the lines before it are kept: $why\n", "@$force $name stops the import");
    }
}
is_deeply([events_of($moved)], \@there, 'events that are refused change nothing');
import_text($moved, join "\n", event(20), '{"org":{"id":"O3"}}');
like((events_of($moved))[-1], qr/"number":"22","type":"store\.imported".*added=1 changed=0 unchanged=1/,
    'an import that changes something, and brings no new event, is one');
my $half = store();
import_text($half, join "\n", @lines, 'bad');
is_deeply([events_of($half)], [], 'an import that stops in a store without events is none: they may follow');
is((import_text($half, join "\n", @history))[0], 0, 'the same with its events can be imported then');
is(export_of($half), join('', map { "$_\n" } @history), '... and gives an equal store');

# Files that cannot be read.
my $missing = folder() . '/missing';
is_deeply(
    [ctl($store, 'import', $missing)],
    [1, '', "userprofilectl: cannot open '$missing': No such file or "
            . "directory\n"],
    'a file that does not exist is named'
);
my $folder = folder();
($code, $out, $err) = ctl($store, 'import', $folder);
is($code, 1, 'a folder in place of a file is an error');
like($err, qr/^userprofilectl: .*cannot read '\Q$folder\E': Is a directory$/,
    'a folder in place of a file: the message says so');

done_testing;
