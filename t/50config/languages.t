# UserProfileLanguages: which languages requests may store.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Calls;
use UserProfile;

my $site = site();
my $self = human($site, preferredLanguage => 'it');
fill({ token => { userId => $self, token => $self } });

my %ada = (firstName => 'Ada', lastName => 'L', displayName => 'Ada L');
my $turn = 0;
my $says = 'value must be one of the languages allowed here, or one with further subtags: en, de-CH, zh-Hans';

# Each call that updates, with the language $tag (undef: none): its token, its
# message, the path of the field.
sub calls {
    my ($tag) = @_;
    my @language = defined $tag ? (preferredLanguage => $tag) : ();
    my %v1 = (%ada, nickName => 'n' . ++$turn, @language);
    my %v2 = (givenName => 'Ada', familyName => 'L', nickName => 'n' . ++$turn, @language);
    return (
        ['UpdateHumanProfile', $site, { userId => $self, %v1 }, 'preferredLanguage'],
        ['UpdateMyProfile', $self, {%v1}, 'preferredLanguage'],
        ['UpdateHumanUser', $self, { userId => $self, profile => {%v2} }, 'profile.preferredLanguage'],
        ['UpdateUser', $self, { userId => $self, human => { profile => {%v2} } }, 'human.profile.preferredLanguage'],
    );
}

# What became of a call: the field at fault and what is said of it, or ''.
sub fault {
    my ($form, $place, $call, $token, $message) = @_;
    local $Calls::place = $place;
    my $got = call_as($form, $call => { bearer($token) }, $message);
    return '' if $got->{answer};
    my ($bad) = grep { $_->[0] eq 'google.rpc.BadRequest' } @{ $got->{details} };
    return join '; ', map { "$_->{field}: $_->{description}" } @{ $bad->[1]{fieldViolations} };
}

for my $form (FORMS) {
    for my $case (calls('fr')) {
        my ($call, $token, $message, $field) = @$case;
        is fault($form, '/api/languages', $call, $token, $message), "$field: $says",
            "$form: $call with a language that is not listed";
    }
    for my $tag ('en', 'EN_gb', 'de-CH', 'zh-hans-cn', 'und', undef) {
        is fault($form, '/api/languages', @$_), '', "$form: $_->[0] with the language " . ($tag // '(none)')
            for calls($tag);
    }
}

my $language = sub { decode(request(GET => PROFILES . "/$self/profile", { bearer($site) }))->{profile}{preferredLanguage} };
my $rest = sub { my ($place, $tag) = @_; my ($case) = calls($tag); return fault('rest', $place, @$case) };
for my $case (
    ['/api',                 'fr', '', 'by default any language may be stored'],
    ['/api/languages/any',   'fr', '', 'the star of an inner section allows any again'],
    ['/api/languages/other', 'fr', '', 'the list of an inner section replaces the outer one'],
    ['/api/languages/other', 'en', 'preferredLanguage: ' . $says =~ s/: .*/: fr/r, '... of which nothing stays'],
    ['/api/languages',       'de', "preferredLanguage: $says", 'a language of which only a region is listed'],
    )
{
    my ($place, $tag, $want, $what) = @$case;
    is $rest->($place, $tag), $want, $what;
}

# What is stored already, is kept by an update that does not name it.
is $rest->('/api', 'it'), '', 'a language that is not listed is stored elsewhere';
is fault('rest', '/api/languages', 'UpdateUser', $self, { userId => $self, human => { profile => { nickName => 'x' } } }), '',
    '... a v2 update that does not name it succeeds';
is $language->(), 'it', '... and keeps it';

done_testing;
