# 009_export.pl
#	  What a node exports is verified without it; what its superuser changes
#	  is found there or by verify_ledger(), with its place; and a crash in the
#	  middle of appends leaves one history that goes on.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Path qw(make_path);
use FindBin;
use MIME::Base64 ();
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Secmed;
use Test::More;
use Time::HiRes qw(sleep);

# The one that was installed with the server.
chomp(my $bindir = `@{[$ENV{PG_CONFIG} // 'pg_config']} --bindir`);
my $tool = "$bindir/secmed";
my $c = Secmed->new(sites => [qw(charite lmu gemelli)], one_cluster => 1);
$c->load_lung;
$c->publish('clinic.trial', 'trial', $Secmed::LUNG_OPTIONS);
$c->import_tables;
$c->ask('SELECT count(*) FROM consortium.trial') for 1 .. 3;
my $card = $c->{card}{charite};
my $cluster = $c->{cluster}{lmu};
$c->run('lmu', "SELECT count(secmed.add_peer('$card')) FROM generate_series(1, 300)");

# A checkpoint of all entries that there are now; who looks at the tables adds some.
sub signed { return $c->run('lmu', q{SELECT split_part(secmed.checkpoint(), E'\n', 2)}) }

sub all_signed
{
	my $n = $c->run('lmu', 'SELECT entries FROM secmed.verify_ledger()');
	return Secmed::within(10, sub { signed() >= $n });
}

my $exports = 0;

# Exports, as the superuser after these changes, into a new folder.
sub export
{
	my ($change, $columns) = @_;
	$columns //= 'false';
	my $dir = PostgreSQL::Test::Utils::tempdir . '/lmu' . $exports++;
	my $rows = $c->run('lmu', <<"END");
BEGIN;
SET LOCAL client_min_messages = error;
ALTER TABLE secmed.ledger DISABLE TRIGGER USER;
ALTER TABLE secmed.ledger_tile DISABLE TRIGGER USER;
ALTER TABLE secmed.ledger_checkpoint DISABLE TRIGGER USER;
$change;
SELECT path, encode(content, 'hex') FROM secmed.export_ledger($columns);
ROLLBACK;
END
	for my $row (split /\n/, $rows)
	{
		my ($path, $hex) = split /\|/, $row;
		make_path(dirname("$dir/$path"));
		open my $file, '>:raw', "$dir/$path" or die "$dir/$path: $!";
		print $file pack('H*', $hex);
		close $file;
	}
	return $dir;
}

# What the tool says, and its exit status.
sub verify
{
	my (@arguments) = @_;
	my ($out, $err);
	IPC::Run::run([ $tool, 'verify', @arguments ], '>', \$out, '2>', \$err);
	return ($? >> 8, "$out$err");
}

ok(all_signed(), 'a checkpoint of all entries is signed');
my $n = signed();
my $whole = export('');
my ($status, $said) = verify($whole);
is($status, 0, 'an export is verified') or diag $said;
cmp_ok($said =~ /intact, (\d+) entries/ ? $1 : 0, '>=', $n, 'with all its entries');

# One entry alone, by its proof and the log's policy.
my ($policy) = glob "$whole/policy/*";
PostgreSQL::Test::Utils::append_to_file("$whole.proof", $c->run('lmu', 'SELECT secmed.inclusion_proof(77)'));
($status, $said) = verify('--policy', $policy, "$whole.proof");
is($status, 0, 'a proof is verified') or diag $said;

# Tampering ------------------------------------------------------------------

# In the database verify_ledger() finds it, in its export the tool.
sub found
{
	my ($about, $change, @places) = @_;
	my $places = join '|', @places;
	my $out = $c->run('lmu', <<"END");
BEGIN;
ALTER TABLE secmed.ledger DISABLE TRIGGER USER;
ALTER TABLE secmed.ledger_tile DISABLE TRIGGER USER;
ALTER TABLE secmed.ledger_checkpoint DISABLE TRIGGER USER;
$change;
SELECT ok, bad_seq FROM secmed.verify_ledger();
ROLLBACK;
END
	like($out, qr/^f\|($places)$/, "$about: verify_ledger() names the place");
}

sub found_offline
{
	my ($about, $change, $place) = @_;
	my ($status, $said) = verify(export($change));
	is($status, 1, "$about: the tool finds it");
	like($said, $place, "$about: with its place");
}

my $last = $n - 1;
my $key_of_another = $c->run('gemelli', "SELECT encode(entry, 'hex') FROM secmed.ledger WHERE seq = 1");
my $newest = "size = $n";
my $flip = 'UPDATE secmed.ledger SET entry = set_byte(entry, length(entry) - 40, get_byte(entry, length(entry) - 40) # 1) WHERE seq = 100';
my $swap = 'UPDATE secmed.ledger SET entry = (SELECT o.entry FROM secmed.ledger o WHERE o.seq = 201 - ledger.seq) WHERE seq IN (100, 101)';
my $tile = 'UPDATE secmed.ledger_tile SET hashes = set_byte(hashes, 3200, get_byte(hashes, 3200) # 1) WHERE level = 0 AND idx = 0';
my $note = "UPDATE secmed.ledger_checkpoint SET note = convert_to(replace(convert_from(note, 'UTF8'), E'\\n$n\\n', E'\\n@{[$n - 1]}\\n'), 'UTF8'), size = size - 1 WHERE $newest";
found('a bit of an entry', $flip, 100, 101);
found('entries exchanged', $swap, 100);
found('an entry removed', 'DELETE FROM secmed.ledger WHERE seq = 100', 100, 101);
found('the tail removed', "DELETE FROM secmed.ledger WHERE seq > $last - 10", $last - 9);
found('the tail removed and its tiles', "DELETE FROM secmed.ledger WHERE seq > 200; DELETE FROM secmed.ledger_tile", 201);
found('a bit of a tile', $tile, 0);
found('a tile removed', 'DELETE FROM secmed.ledger_tile WHERE idx = 0', 0);
found('a checkpoint changed', $note, $last - 1);
found('a checkpoint of more', "UPDATE secmed.ledger_checkpoint SET size = size + 100000 WHERE $newest", '\\d+');

found('the middle removed', 'DELETE FROM secmed.ledger WHERE seq BETWEEN 100 AND 199', 100, 200);
found('a key replaced by another node\'s', "UPDATE secmed.ledger SET entry = '\\x$key_of_another' WHERE seq = 1", 1);
found('a key\'s signature changed', 'UPDATE secmed.ledger SET entry = set_byte(entry, length(entry) - 20, get_byte(entry, length(entry) - 20) # 1) WHERE seq = 1', 1);
found('a body made up', "INSERT INTO secmed.ledger_payload VALUES (100, '\\x00', 'x')", 100);

found_offline('a bit of an entry', $flip, qr/entry 10[01]\b/);
found_offline('entries exchanged', $swap, qr/entry 100\b/);
found_offline('the tail removed', "DELETE FROM secmed.ledger WHERE seq > $last - 10", qr/lmu/);
found_offline('the last checkpoint changed', $note, qr/lmu/);

# ... and in its files.
{
	my $dir = export('');
	my $bundle = slurp_file("$dir/tile/entries/000");
	substr($bundle, 9000, 1) ^= "\x01";
	open my $file, '>:raw', "$dir/tile/entries/000" or die $!;
	print $file $bundle;
	close $file;
	($status, $said) = verify($dir);
	is($status, 1, 'a bit of an exported file: the tool finds it');
	like($said, qr/entry \d+/, 'and names the entry');
}

# Columns that were exported beside the bytes are what the bytes say.
{
	my $dir = export('', 'true');
	($status, $said) = verify($dir);
	is($status, 0, 'an export with columns is verified') or diag $said;
	like($said, qr/intact, (\d+) entries.*columns compared with the bytes: \1 entries/s, 'all of them');
	my $rows = slurp_file("$dir/csv/000");
	$rows =~ s/^(77,.*?,)"[^"]*"/$1"nobody"/m;
	open my $file, '>:raw', "$dir/csv/000" or die $!;
	print $file $rows;
	close $file;
	($status, $said) = verify($dir);
	is($status, 1, 'a column that was changed: the tool finds it');
	like($said, qr/entry 77 has other columns/, 'and names the entry');
}

# What was erased was committed, and an entry says under which law it went.
{
	$c->run('lmu', "SELECT secmed.append_note('patient MRN-4711 has asked'), secmed.append_note('nobody has')");
	is($c->run('lmu', "SELECT secmed.erase_subject('MRN-4711', 'GDPR Art. 17(1)(b)')"), 1, 'a note about a subject is erased');
	$c->ledger_is_whole('lmu');
	ok(all_signed(), 'and signed');
	my $dir = export('');
	($status, $said) = verify($dir);
	is($status, 0, 'the export is verified') or diag $said;
	like($said, qr/ 1 committed and erased,/, 'and says so');
	unlike(slurp_file("$dir/payloads"), qr/@{[substr MIME::Base64::encode_base64('patient MRN-4711 has', ''), 4, 12]}/, 'it is not in it');
	my $erased = $c->run('lmu', "SELECT max(counters[1]) FROM secmed.events WHERE kind = 'erased'");
	found('what was erased is back', "INSERT INTO secmed.ledger_payload SELECT $erased, salt, payload FROM secmed.ledger_payload WHERE seq = (SELECT max(seq) FROM secmed.ledger_payload)", $erased);
	$n = $c->run('lmu', 'SELECT max(size) FROM secmed.ledger_checkpoint');
}

# On disk, where no trigger is: a byte of an entry, and one in the TOAST table of a body.
{
	my $text = join '', map { chr(97 + rand 26) } 1 .. 20000;
	$c->run('lmu', "SELECT secmed.append_note('$text')");
	my $seq = $c->run('lmu', 'SELECT max(seq) FROM secmed.ledger_payload');
	my $segment = $c->run('lmu', 'SELECT max(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = \'secmed.ledger_payload\'::regclass');
	$c->run('lmu', "ALTER TABLE $segment ALTER payload SET STORAGE EXTERNAL, ALTER payload SET STORAGE EXTENDED");
	my $toast = $c->run('lmu', "SELECT pg_relation_filepath(reltoastrelid) FROM pg_class WHERE oid = '$segment'::regclass");
	my $heap = $c->run('lmu', "SELECT pg_relation_filepath('" . ($segment =~ s/_payload//r) . "')");
	$c->run('lmu', 'CHECKPOINT');
	$cluster->stop;
	for my $case ([ 'the TOAST of a body', $toast, $seq, sub { $_[0] =~ s/([a-z]{500})/\u$1/ } ],
		[ 'an entry in its file', $heap, '\\d+', sub { $_[0] =~ s/peer added|\x01 charite|charite \w/\u$&/ } ])
	{
		my ($about, $file, $place, $change) = @$case;
		my $path = $cluster->data_dir . "/$file";
		my $whole = slurp_file($path);
		my $changed = $whole;
		ok($change->($changed) && $changed ne $whole, "$about is changed");
		open my $out, '>:raw', $path or die $!;
		print $out $changed;
		close $out;
		$cluster->start;
		like($c->run('lmu', 'SELECT ok, bad_seq FROM secmed.verify_ledger()'), qr/^f\|$place$/, "$about: found, with its place");
		$cluster->stop;
		open $out, '>:raw', $path or die $!;
		print $out $whole;
		close $out;
	}
	$cluster->start;
	$c->ledger_is_whole('lmu');
	$n = $c->run('lmu', 'SELECT max(size) FROM secmed.ledger_checkpoint');
}

# Crashes --------------------------------------------------------------------

for my $round (1 .. ($ENV{SECMED_LONG} ? 20 : 2))
{
	my $append = IPC::Run::start([ 'psql', '-XAtq', '-d', $cluster->connstr('lmu'),
		'-c', "SELECT secmed.add_peer('$card') FROM generate_series(1, 1000000)" ], '>', '/dev/null', '2>', '/dev/null');
	sleep 1.5 + rand;
	my $durable = $c->run('lmu', 'SELECT count(*) FROM secmed.ledger');
	if ($round % 2)
	{
		kill 'KILL', $c->run('lmu', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'secmed sequencer' AND datname = 'lmu'");
	}
	else
	{
		$cluster->kill9;
		for (1 .. 100)
		{
			last if $cluster->start(fail_ok => 1);
			sleep 0.1;
			$cluster->stop('fast', fail_ok => 1);
		}
	}
	$append->finish;
	ok($cluster->poll_query_until('lmu', 'SELECT true'), "round $round: the server is there again");
	cmp_ok($c->run('lmu', 'SELECT count(*) FROM secmed.ledger'), '>=', $durable, "round $round: no entry is lost");
	my $signed = signed();
	cmp_ok($signed, '>', $n, "round $round: it has signed while it appended");
	$n = $signed;
	$c->ledger_is_whole('lmu');
	$c->run('lmu', "SELECT secmed.add_peer('$card')");
	ok(all_signed(), "round $round: it signs again");
	cmp_ok(signed(), '>', $signed, "round $round: more entries");
	$c->ledger_is_whole('lmu');
	($status, $said) = verify(export(''));
	is($status, 0, "round $round: one history") or diag $said;
}

# A ledger whose tail was taken away is not continued.  While the server runs that
# would leave entries; without it there is nobody to write them.
$cluster->stop;
{
	my ($out, $err);
	IPC::Run::run([ 'postgres', '--single', '-D', $cluster->data_dir, 'lmu' ], '<', \<<'END', '>', \$out, '2>', \$err);
ALTER TABLE secmed.ledger DISABLE TRIGGER USER
DELETE FROM secmed.ledger WHERE seq >= (SELECT max(size) - 1 FROM secmed.ledger_checkpoint)
ALTER TABLE secmed.ledger ENABLE ALWAYS TRIGGER ledger_guard_rows
END
	like("$out$err", qr/the ledger does not confirm what you do/, 'who does without the server is told that nothing records it');
}
$cluster->start;
my ($ret, $out, $err) = $cluster->psql('lmu', "SELECT secmed.add_peer('$card')");
like($err, qr/a checkpoint of \d+ was signed/, 'a ledger that lost its tail takes no entry');

done_testing();
