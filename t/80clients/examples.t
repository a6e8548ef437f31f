# Each of conf/examples reads, changes, meets a conflict and a refused field, in
# less than 40 lines.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Basename qw(basename);
use Test::More;
use UserProfile;

my %program = (mjs => 'node', py => 'python3', php => 'php', sh => 'sh');
my $site    = site();
my $rule    = 'value length must be between 1 and 200 runes, inclusive';
my %refusal = ('zitadel_client.mjs' =>
        qr/invalid .*UpdateUserRequest_Human_Profile\.NickName: $rule/);

$ENV{URL}   = 'http://127.0.0.1:' . UserProfile::vars()->{port} . '/api';
$ENV{TOKEN} = $site->{token};
my @examples = glob UserProfile::top() . '/conf/examples/*';
is_deeply [map { basename($_) } @examples],
    [qw(fetch.mjs profile.php profile.py profile.sh zitadel_client.mjs)],
    'there is an example for each language';

for my $file (@examples) {
    my $name   = basename($file);
    my ($kind) = $name =~ /\.(\w+)$/;
    my $lines  = () = UserProfile::slurp($file) =~ /\n/g;
    cmp_ok $lines, '<', 40, "$name has less than 40 lines";

    my $user = human($site, nickName => 'Gi');
    my $said = `$program{$kind} $file $user 2>&1`;
    is $?, 0, "$name ends well";
    my $refused = $refusal{$name} // qr/human\.profile\.nickName: $rule/;
    like $said, qr/\Aread: it is Gi
changed to Tall
conflict: it is Tall now
changed to Small
refused: $refused
\z/, "$name reads, changes, meets a conflict and a refusal";
    like request(GET => "/api/v2/users/$user", { bearer($site) })->content,
        qr/"sequence":"3",.*"nickName":"Small"/, "$name has made two changes";

    $ENV{TOKEN} = 'unknown';
    $said = `$program{$kind} $file $user 2>&1`;
    unlike $said, qr/^changed/m, "$name says of no change that it was made";
    $ENV{TOKEN} = $site->{token};
}

done_testing;
