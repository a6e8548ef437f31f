# Bulk.pm -- rows of import and export.
package Rows::Bulk;

use strict;
use warnings;

use Exporter qw(import);

use Figures;
use Stage;
use Users;

our @EXPORT = qw(imports import_beside);

# Import $file into a new store, and note how it went.
sub import_row {
    my ($what, $store, $file, $count) = @_;
    run(ctl($store), 'init');
    my $took = Users::timed('/dev/null', ctl($store), 'import', $file);
    my $rate = $count / $took->{seconds};
    note_row("$what; RssAnon $took->{kib} KiB", 'ctl', { rate => one($rate) });
    return { %$took, rate => $rate };
}

# Leaves the store that the other rows need.
sub imports {
    my $file = "$SCRATCH/users";

    write_users($file, $USERS / 10);
    my $few = import_row('import, ' . $USERS / 10 . ' users',
        "$SCRATCH/few", $file, $USERS / 10);
    write_users($file, $USERS);
    my $many = import_row("import, $USERS users in export's order",
        "$SCRATCH/store", $file, $USERS);
    mark("import in export's order, users a second",
        $many->{rate}, 'at least', 60_000);
    mark("importer's RssAnon, $USERS users : a tenth of them",
        $many->{kib} / $few->{kib}, 'at most', 1.1);

    my $export = Users::timed('/dev/null', ctl("$SCRATCH/store"), 'export');
    note_row("export; RssAnon $export->{kib} KiB",
        'ctl', { rate => one($USERS / $export->{seconds}) });

    write_users($file, $USERS, 1);
    my $random = import_row("import, $USERS users in random order",
        "$SCRATCH/random", $file, $USERS);
    mark('import in random order, users a second',
        $random->{rate}, 'at least', 25_000);
    run('rm', '-rf', $file, "$SCRATCH/few", "$SCRATCH/random");
}

# PUTs go on beside an import.
sub import_beside {
    my ($server) = @_;
    write_users("$SCRATCH/users", $USERS / 4);
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>', '/dev/null';
        # The users have been changed since: their sequences go down again.
        exec ctl("$SCRATCH/store"), 'import', '--force', "$SCRATCH/users";
    }
    my $figures = change($server, 32, seconds => 3)->();
    my $still = waitpid($pid, 1) == 0;
    waitpid $pid, 0 if $still;
    $_ = one($_) for values %$figures;
    note_row('PUT changed, 32 connections, beside an import'
            . ($still ? '' : ' that was over first'),
        "1x$THREADS", $figures);
    unlink "$SCRATCH/users";
}

1;
