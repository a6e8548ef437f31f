# Export and import move a store from LMDB to PostgreSQL and back, events included,
# and refuse the same lines in both.
use strict;
use warnings;

use Ctl;
use PostgresServer;
use Test::More;

my $USERS  = 9000;
my $EVENTS = 6000;

my $postgres = PostgresServer->start;

sub done {
    my ($uri, @arguments) = @_;
    my ($code, undef, $err) = ctl($uri, @arguments);
    is $code, 0, "@arguments[0, 1]" or diag $err;
}

sub import_text {
    my ($uri, $text, @options) = @_;
    return run($text, tool(), '-s', $uri, 'import', '-', @options);
}

# A store with a history, of more than a batch of each kind.
my @lines = map { qq({"org":{"id":"O$_","name":"Org\\u00e4nisation $_"}}) } 0 .. 9;
my @names = ('"lastName":"Giraffe \\ud83e\\udd92","displayName":""', '"lastName":"L","nickName":"\\"\\\\\\t","preferredLanguage":"de-CH","gender":"GENDER_DIVERSE"');
for my $i (1 .. $USERS) {
    my $state = (qw(active inactive locked initial))[$i % 4];
    $state = 'removed' if $i % 100 == 99;
    my $profile = $i % 200 == 199 ? '"displayName":""' : qq("firstName":"First $i",$names[$i % 2]);
    my $rest = $i % 10 ? qq("type":"human","state":"$state","sequence":"$i","profile":{$profile}) : '"type":"machine"';
    push @lines, qq({"user":{"id":"u$i","orgId":"O@{[$i % 10]}",$rest}});
    next if $i % 100 == 99;
    push @lines, qq({"member":{"orgId":"O@{[$i % 7]}","userId":"u$i","roles":["ORG_OWNER","R$i"]}}) if $i % 2;
    push @lines, qq({"token":{"userId":"u$i","token":"a-token-that-is-long-enough-$i"}}) unless $i % 2;
}
my @values = ('{"nickName":"","preferredLanguage":"und","gender":"GENDER_UNSPECIFIED"}',
    '{"nickName":"\\"\\\\\\t","preferredLanguage":"de-CH","gender":"GENDER_DIVERSE"}');
for my $i (1 .. $EVENTS) {
    next if $i % 10 == 0 || $i % 100 == 99; # there are gaps
    push @lines, qq({"event":{"number":"$i","type":"profile.changed","time":"2025-03-25T09:00:00.000001Z","orgId":"O@{[$i % 10]}","userId":"u$i",)
        . qq("by":"tool:\\u00fc","sequence":"$i","fields":["nickName","preferredLanguage","gender"],"before":$values[!($i % 2)],"after":$values[$i % 2]}});
}
my $source = store(@lines);
done($source, qw(user set O1 u1 --nick-name Secretive));
done($source, qw(user remove O1 u1 --erase));
done($source, qw(user remove O2 u2));
done($source, qw(user add O2 new --first-name F --last-name L));
done($source, qw(token revoke --user u4));
done($source, qw(org rename O1 Other));
my $all = export_of($source);
cmp_ok scalar(() = $all =~ /^\{"event"/mg), '>', $EVENTS / 2, 'there are events to move';
unlike $all, qr/Secretive/, 'an export has no values that were erased';

# There and back.
my $there = $postgres->store('there');
my $back  = store();
for my $step (['PostgreSQL', $source, $there], ['LMDB', $there, $back]) {
    my ($name, $from, $to) = @$step;
    my ($code, $out);
    my $said = qx(@{[tool()]} -s '$from' export | @{[tool()]} -s '$to' import -);
    my $count = () = $all =~ /\n/g;
    like $said, qr/^imported $count lines .*: $count added, 0 changed, 0 unchanged$/, "into $name all lines of an export are imported";
    ok export_of($to) eq $all, "$name then exports the same bytes";
    ($said) = (import_text($to, $all))[1];
    like $said, qr/: 0 added, 0 changed, $count unchanged$/, "into $name the same again changes nothing";
    ok export_of($to) eq $all, '... and doubles nothing';
    ($code, $out) = ctl($to, 'check');
    is $code, 0, "$name: a check finds no fault" or diag substr $out, 0, 1000;
}
my ($last) = $all =~ /.*"event":\{"number":"(\d+)"/s;
for my $uri ($there, $back) {
    done($uri, qw(org add next));
    like((split /\n/, (ctl($uri, qw(events --json)))[1])[-1], qr/"number":"@{[$last + 1]}","type":"org\.added"/,
        'the next event gets the next number');
}

# The role of tools may do so, too.
my $role = $postgres->store('role') =~ s/tester/operator/r;
$postgres->sql('role', 'CREATE ROLE operator LOGIN IN ROLE userprofile_tool');
is +(import_text($role, $all))[2], '', 'a tool may import events, by its role';
done($role, qw(org add next));

# What is changed by a line.
my ($old) = $all =~ /^(\{"user":\{"id":"u3",.*)$/m;
my $changed = join "\n", $old =~ s/"sequence":"3"/"sequence":"4"/r =~ s/First 3/Changed/r, '{"org":{"id":"O3","name":"Changed"}}',
    '{"user":{"id":"u5","orgId":"O5","type":"human","state":"removed","sequence":"7","profile":{}}}',
    '{"member":{"orgId":"O0","userId":"u7","roles":["CHANGED"]}}', $all =~ /^(\{"token":\{"userId":"u6",.*?)\}\}$/m ? "$1,\"revoked\":\"2026-01-01T00:00:00Z\"}}" : ();
my %outcome;
for my $uri ($there, $back) {
    my ($code, $out, $err) = import_text($uri, $changed);
    is $code, 0, 'lines that replace items are imported' or diag $err;
    like $out, qr/: 0 added, 5 changed, 0 unchanged$/, '... and counted';
    $outcome{$uri} = join "\n", map { s/"(time|changeDate|revoked)":"[^"]*"/"$1":"now"/gr } split /\n/, export_of($uri);
}
ok $outcome{$there} eq $outcome{$back}, 'what lines replace is the same in both';
like $outcome{$there}, qr/"id":"u3",.*"firstName":"Changed"/, '... the new items';
unlike $outcome{$there}, qr/"member":\{[^}]*"userId":"u5"/, '... and no rights of a user who was removed';

# What is refused: the same in both, at the same line.
my $many = join '', map { qq({"user":{"id":"more$_","orgId":"O1","type":"machine"}}\n) } 1 .. 4500;
my ($event) = $all =~ /^(\{"event":\{"number":"$last".*)$/m;
my %refused = (
    'an organisation that is not there'       => '{"user":{"id":"x","orgId":"none","type":"machine"}}',
    'a membership of such a one'              => '{"member":{"orgId":"none","userId":"u5","roles":["R"]}}',
    'a user of another organisation'          => '{"user":{"id":"u5","orgId":"O1","type":"machine"}}',
    'such a one from the same file'           => '{"user":{"id":"more3","orgId":"O2","type":"machine"}}',
    'a user who was removed'                  => '{"user":{"id":"u2","orgId":"O2","type":"human","sequence":"99","profile":{"firstName":"F","lastName":"L"}}}',
    'a membership of a removed user'          => '{"member":{"orgId":"O1","userId":"u2","roles":["R"]}}',
    'an erased user with values'              => '{"user":{"id":"u1","orgId":"O1","type":"human","state":"removed","sequence":"99","profile":{"firstName":"F","lastName":"L"}}}',
    'a smaller sequence'                      => '{"user":{"id":"u9","orgId":"O9","type":"human","sequence":"2","profile":{"firstName":"F","lastName":"L"}}}',
    'a revoked token as valid'                => $all =~ /^(\{"token":\{.*),"revoked":"[^"]*"\}\}$/m ? "$1}}" : die,
    'an event in the place of another'        => $event =~ s/tool:/fool:/r,
    'an event before the last one'            => $event =~ s/"number":"\d+"/"number":"100"/r,
    'an event with values of an erased user'  => $event =~ s/"number":"\d+".*/"number":"999999","type":"profile.changed","time":"2025-03-25T09:00:00Z","userId":"u1","fields":["nickName"],"after":{"nickName":"N"}}}/r,
    'a line that is no item'                  => 'nonsense',
);
for my $name (sort keys %refused) {
    my @said;
    for my $uri ($there, $back) {
        my ($code, $out, $err) = import_text($uri, "$many$refused{$name}\n$many");
        push @said, $err;
        is $code, 1, "$name is refused";
        like $out, qr/^imported 4500 lines /, '... and the lines before it are kept';
    }
    like $said[0], qr/^userprofilectl: the import stopped at line 4501 of '-'; the lines before it are kept: /, '... at its line';
    is $said[0], $said[1], '... with the same words by both drivers';
}
is +(ctl($_, 'check'))[0], 0, 'a check finds no fault after that' for $there, $back;

# Killed in the middle, and done again.
my $file = spew(folder() . '/export', $all);
my $alone = $postgres->store('alone');
my $whole = seconds_of('-s', $alone, 'import', $file);
ok export_of($alone) eq $all, 'an import that is left alone is whole';
my $kills = 0;
for (my $i = 1; $i <= 60 && $kills < 5; $i++) {
    my $uri = $i % 2 ? $postgres->store("killed$i") : store();
    next unless killed(rand $whole, '-s', $uri, 'import', $file);
    $kills++;
    is +(ctl($uri, 'import', $file))[0], 0, "killed, $i: the import can be repeated";
    ok export_of($uri) eq $all, "killed, $i: the store is as if it had not been killed";
}
is $kills, 5, 'five imports were killed';

done_testing;
