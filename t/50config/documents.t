# documents.t -- what the documents say can be configured is accepted: the
# examples of the manual page, and every piece of configuration in it, in the
# README and in userprofile.conf.
use strict;
use warnings;

use Test::More;
use OwnServer;
use UserProfile;

my $page = UserProfile::slurp(UserProfile::top() . '/conf/mod_userprofile.5');
my $readme = UserProfile::slurp(UserProfile::top() . '/README.md');
my $conf = UserProfile::slurp(UserProfile::top() . '/conf/userprofile.conf');

my ($modules) = UserProfile::slurp(UserProfile::top() . '/modules.conf')
    =~ m{(/\S+)/mod_auth_basic\.so};

# $text as it stands in a file of a site which has what it speaks of: other
# modules, and a parent for the store's folder.
sub in_a_site {
    my ($text) = @_;
    $text =~ s/^LoadModule .*\n//mg;
    $text =~ s{lmdb:/\S+/userprofile\b}{lmdb:\${FOLDER}/store}g;
    $text =~ s/^(?:Server|Thread)Limit .*\n//mg;
    $text =~ s/^(?:ThreadsPerChild|MaxRequestWorkers) .*\n//mg;
    $text =~ s{\$\{APACHE_LOG_DIR\}}{\${FOLDER}}g;
    $text =~ s{/etc/apache2/session\.key}{\${CONF}/htpasswd};
    my $more = '';
    $more .= "LoadModule auth_openidc_module $modules/mod_auth_openidc.so\n"
        if $text =~ /oauth20|OIDC/;
    $more .= "Include \"$1/conf/userprofile.conf\"\n"
        if $text =~ /^CustomLog/m && UserProfile::top() =~ /(.+)/;
    return $more . $text;
}

sub accepted {
    my ($text, $where) = @_;
    my ($status, $output) = OwnServer->configtest(in_a_site($text));
    my ($first) = $text =~ /\A\s*(.*)/;
    is($status, 0, "$where: configtest accepts '$first' ...")
        or diag($output, $text);
    unlike($output, qr/UP00(?!47|43|49)\d\d/, '... and warns of nothing')
        or diag($text);
}

my @examples = $page =~ /^\.It Example:\n(.*)$/mg;
cmp_ok(scalar @examples, '>', 10, 'the manual page has examples');
accepted($_, 'the manual page') for grep { !/^AuthType/ } @examples;

# What begins like a configuration is one.
my $directive = qr/\A\s*(?:#[^\n]*\n)*(?:<[A-Z]|LoadModule|UserProfile|Protocols|CustomLog|SSL|OIDC|Session)/;
my @blocks = map { s/\\e/\\/gr } grep { $_ =~ $directive }
    $page =~ /^\.Bd -literal[^\n]*\n(.*?)^\.Ed$/msg;
cmp_ok(scalar @blocks, '>', 4, 'the manual page has configurations');
accepted($_, 'the manual page') for @blocks;

@blocks = $readme =~ /^```apache\n(.*?)^```$/msg;
cmp_ok(scalar @blocks, '>', 1, 'the README has configurations');
accepted($_, 'the README') for @blocks;

# In userprofile.conf they are behind a "#".
my @sections = map { s/^#//mgr } $conf =~ /^#\n((?:#.*\n)+)/mg;
cmp_ok(scalar @sections, '>', 1, 'userprofile.conf has sections');
accepted($_, 'userprofile.conf') for @sections;

done_testing;
