# 007_hostile.pl
#	  Nodes that misbehave, and strangers who log in as one: errors that name
#	  the node, in time; sessions and servers that go on; nothing secret in logs.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use IO::Socket::UNIX;
use IPC::Run ();
use MIME::Base64 qw(encode_base64);
use PostgreSQL::Test::Utils;
use Secmed;
use Test::More;
use Time::HiRes qw(sleep time);

my $TIMEOUT = 3;
my $SLEEP = 2 * $TIMEOUT + 4;	# of a node that says nothing in time
my @hospitals = qw(charite lmu gemelli);
my $c = Secmed->new(sites => \@hospitals, conf => "secmed.node_timeout = '${TIMEOUT}s'");
$c->load_lung;
$c->publish('clinic.trial', 'trial', $Secmed::LUNG_OPTIONS);
$c->import_tables;

my $good = 'SELECT count(*), sum(age) FROM consortium.trial';
my $session = $c->session;
my %since = map { $_ => started($_) } @hospitals;
works('at first');

sub started { return $c->run($_[0], 'SELECT pg_postmaster_start_time()') }

sub works
{
	my ($when) = @_;
	my ($out, $err) = Secmed::timed($session, $good);
	is($out, '228|14238', "the session works $when") or diag $err;
}

# The statement fails in time, with an error of this kind that names one of these nodes.
sub fails
{
	my ($about, $sqlstate, $node, $statement) = @_;
	my ($out, $err, $seconds) = Secmed::timed($session, $statement // $good);
	like($err, qr/ERROR:\s+($sqlstate):/, "$about: an error of its kind") or diag substr $err, 0, 2000;
	like($err, qr/"($node)"/, "$about: it names the node") or diag substr $err, 0, 2000;
	is($out, '', "$about: no answer");
	cmp_ok($seconds, '<', $TIMEOUT + 2, "$about: in time");
	return $err;
}

# What answers in the name of gemelli ----------------------------------------

# A database that is no node: its secmed.hello is what we make it.
$c->{cluster}{gemelli}->safe_psql('postgres', 'CREATE DATABASE fake');
fake(<<'END');
CREATE SCHEMA secmed;
GRANT USAGE ON SCHEMA secmed TO PUBLIC;
CREATE TABLE public.heard (hello bytea);
CREATE TABLE public.welcome (bytes bytea);
END

sub fake { return $c->{cluster}{gemelli}->safe_psql('fake', shift) }

sub fake_hello
{
	my ($body, $type) = @_;
	$type //= 'bytea';
	fake("DROP FUNCTION IF EXISTS secmed.hello; CREATE FUNCTION secmed.hello(hello bytea) RETURNS $type
		LANGUAGE plpgsql SECURITY DEFINER AS \$\$ BEGIN INSERT INTO public.heard VALUES (hello); $body END \$\$");
}

# Where a node finds gemelli.
sub gemelli_is_at
{
	my ($node, $database) = @_;
	my $conninfo = $c->conninfo($node, 'gemelli') =~ s/dbname=gemelli/dbname=$database/r;
	$c->run($node, "SELECT secmed.remove_peer('gemelli'); SELECT secmed.add_peer('$c->{card}{gemelli}', '$conninfo')");
}

# A hello or welcome as the real one but for its version and signature: CBOR by hand.
sub made_up
{
	my ($version, @words) = @_;
	my @pieces = map { (sprintf('\x%02x', 0x60 + length), $_) } @words;
	return join ' || ', map { "'$_'::bytea" } '\x8701', @pieces, $version, '\x5820', 'x' x 32, '\x5820', 'y' x 32, 'z' x 64;
}

sub made_up_welcome { return made_up(shift, qw(welcome gemelli research)) }
sub made_up_hello { return made_up(shift, qw(hello research gemelli)) }

my @welcomes = (
	[ 'four bytes',                   'SM013', q{RETURN '\xdeadbeef';} ],
	[ 'no bytes',                     'SM013', q{RETURN '';} ],
	[ 'null',                         'SM013', 'RETURN NULL;' ],
	[ 'no row',                       'SM013', 'RETURN;', 'SETOF bytea' ],
	[ 'two rows',                     'SM013', 'RETURN NEXT hello; RETURN NEXT hello;', 'SETOF bytea' ],
	[ 'text',                         'SM013', q{RETURN 'welcome';}, 'text' ],
	[ '20 MB',                        'SM013', q{RETURN convert_to(repeat('x', 20000000), 'UTF8');} ],
	[ 'our own hello',                'SM013', 'RETURN hello;' ],
	[ 'another version',              'SM013', 'RETURN ' . made_up_welcome('\x03') . ';' ],
	[ 'a signature of nobody',        'SM011', 'RETURN ' . made_up_welcome('\x02') . ';' ],
	[ 'an old welcome again',         'SM013', 'RETURN (SELECT bytes FROM public.welcome);' ],
	[ 'an end of the connection',     'SM010', 'PERFORM pg_terminate_backend(pg_backend_pid()); RETURN hello;' ],
	[ 'nothing',                      'SM010', "PERFORM pg_sleep($SLEEP); RETURN hello;" ],
	[ 'an error that is a success',   'SM013', q{RAISE 'fine' USING ERRCODE = '01000';} ],
	[ 'an error of its own',          'SM013', q{RAISE 'I do not like you';} ],
	[ 'an error of 1 MB',             'SM013', q{RAISE '%', repeat('x', 1000000);} ]);

# What the real gemelli once said to the real research.
gemelli_is_at('research', 'fake');
fake_hello(q{RETURN '\x00';});
Secmed::timed($session, $good);
my $hello = fake('SELECT hello FROM public.heard LIMIT 1');
like($hello, qr/^\\x8701/, 'a hello is recorded');
my ($welcome) = as_node('gemelli', "SELECT secmed.hello('$hello')");
like($welcome, qr/^\\x8701/, 'and the welcome to it');
fake("INSERT INTO public.welcome VALUES ('$welcome')");
gemelli_is_at('research', 'gemelli');
works('when gemelli is itself again');

{
	my $about = 'a database that is no node';
	gemelli_is_at('research', 'postgres');
	fails($about, '3F000|SM0\d\d', 'gemelli');
	gemelli_is_at('research', 'gemelli');
	works("after $about");
}

for my $welcome (@welcomes)
{
	my ($what, $sqlstate, $body, $type) = @$welcome;
	my $about = "a welcome that is $what";
	fake_hello($body, $type);
	gemelli_is_at('research', 'fake');
	fails($about, $sqlstate, 'gemelli');
	gemelli_is_at('research', 'gemelli');
	works("after $about");
}

# The same, seen from a party whose next one it is: lmu calls gemelli.
for my $welcome ([ 'four bytes', q{RETURN '\xdeadbeef';} ], [ 'nothing', "PERFORM pg_sleep($SLEEP); RETURN hello;" ],
	[ 'the end', 'PERFORM pg_terminate_backend(pg_backend_pid()); RETURN hello;' ])
{
	my ($what, $body) = @$welcome;
	my $about = "a party's welcome that is $what";
	fake_hello($body);
	gemelli_is_at('lmu', 'fake');
	fails($about, 'SM01[013]', 'gemelli|lmu');
	gemelli_is_at('lmu', 'gemelli');
	works("after $about");
}

# A node whose DBA has replaced its procedures ------------------------------

# It has the right key, so the session stands; what follows is not what was agreed.
sub replaced
{
	my ($kind, $name, $body, @fails) = @_;
	my $type = $kind eq 'FUNCTION' ? 'RETURNS bytea' : '';
	my $argument = $kind eq 'FUNCTION' ? 'question' : 'request';
	$c->run('gemelli', "CREATE OR REPLACE $kind secmed.$name($argument bytea) $type LANGUAGE plpgsql AS \$\$ BEGIN $body END \$\$");
	fails(@fails);
	my $c_language = "AS '\$libdir/secmed', 'secmed_$name' LANGUAGE C";
	$c->run('gemelli', "CREATE OR REPLACE $kind secmed.$name($argument bytea) $type $c_language" .
		($kind eq 'FUNCTION' ? ' STRICT' : ''));
	works("after $fails[0]");
}

replaced('PROCEDURE', 'serve', '',                     'serve that ends at once', 'SM013', 'gemelli');
replaced('PROCEDURE', 'serve', "PERFORM pg_sleep($SLEEP);", 'serve that sleeps',       'SM010', 'gemelli');
replaced('PROCEDURE', 'serve', 'COMMIT; PERFORM pg_terminate_backend(pg_backend_pid());', 'serve that dies', 'SM010', 'gemelli');
replaced('PROCEDURE', 'link',  '',                     'link that ends at once',  'SM01[03]', 'gemelli');
replaced('PROCEDURE', 'link',  "PERFORM pg_sleep($SLEEP);", 'link that sleeps',        'SM010', 'gemelli|lmu');

my $import = 'IMPORT FOREIGN SCHEMA published FROM SERVER consortium INTO consortium';
for my $answer ([ 'not sealed', q{RETURN '\x8200';} ], [ 'the question', 'RETURN question;' ], [ 'empty', q{RETURN '';} ],
	[ 'null', 'RETURN NULL;' ], [ '20 MB', q{RETURN convert_to(repeat('x', 20000000), 'UTF8');} ])
{
	my ($what, $body) = @$answer;
	replaced('FUNCTION', 'describe', $body, "a description that is $what", 'SM013', 'gemelli', $import);
}
replaced('FUNCTION', 'describe', "PERFORM pg_sleep($SLEEP); RETURN question;", 'a description that never comes', 'SM010', 'gemelli', $import);

# Whom the nodes know --------------------------------------------------------

{
	my $about = 'a site that a party knows under another key';
	my $cluster = $c->{cluster}{lmu};
	$cluster->safe_psql('postgres', 'CREATE DATABASE impostor');
	my $card = $cluster->safe_psql('impostor', "CREATE EXTENSION secmed; SELECT secmed.create_node('lmu'); SELECT secmed.node_card()");
	($card) = $card =~ /(secmed-node1:\S+)/;
	my $conninfo = $c->conninfo('gemelli', 'lmu');
	$c->run('gemelli', "SELECT secmed.remove_peer('lmu'); SELECT secmed.add_peer('$card', '$conninfo')");
	my $err = fails($about, 'SM011', 'lmu');
	like($err, qr/"gemelli"/, "$about: it names the party as well");
	$c->run('gemelli', "SELECT secmed.remove_peer('lmu')");
	$c->introduce('gemelli', 'lmu');
	works('when they agree again');
}

{
	my $about = 'a peer that was removed';
	$c->run('gemelli', "SELECT secmed.remove_peer('research')");
	fails($about, 'SM012', 'gemelli');
	fails("$about, again", 'SM012', 'gemelli');
	like((as_node('gemelli', "SELECT secmed.hello('$hello')"))[1], qr/SM012.*"research"/, "$about: nor by a recorded hello");
	$c->introduce('gemelli', 'research');
	works('when it is known again');
}

# A coordinator that has the right key ---------------------------------------

# It asks gemelli, which is site and party: [ what, how gemelli ends it, words of coordinator.c ].
my @forbidden = (
	'', 'SELEC', 'DROP TABLE clinic.trial', 'SELECT * FROM clinic.trial', 'SELECT count(*) FROM clinic.trial',
	'SELECT age FROM secmed_published.trial', 'SELECT max(age) FROM secmed_published.trial',
	'SELECT sum(age) FROM secmed_published.trial', 'SELECT count(*), count(*) FROM secmed_published.trial',
	'SELECT count(*) + 0 FROM secmed_published.trial', 'SELECT count(*) FROM secmed_published.trial; SELECT 1',
	'SELECT count(*) FROM pg_catalog.pg_authid', 'SELECT count(*) FROM pg_catalog.pg_class',
	'SELECT count(*) FROM secmed.published', 'SELECT count(*) FROM generate_series(1, 10)',
	'SELECT count(*) FROM secmed_published.trial, clinic.trial t', 'SELECT count(*) FROM (SELECT 1) x',
	'SELECT count(*) FROM secmed_published.trial WHERE pg_sleep(60) IS NULL',
	q{SELECT count(*) FROM secmed_published.trial WHERE pg_read_file('PG_VERSION') <> ''},
	q{SELECT count(*) FROM secmed_published.trial WHERE set_config('role', 'postgres', false) <> ''},
	'SELECT count(*) FROM secmed_published.trial WHERE random() < 0.5', 'SELECT count(*) FROM secmed_published.trial WHERE ctid IS NULL',
	'SELECT count(*) FROM secmed_published.trial WHERE age > (SELECT min(age) FROM secmed_published.trial)',
	'SELECT count(*) FROM secmed_published.trial HAVING count(*) = 1', 'SELECT count(*) FROM secmed_published.trial LIMIT 1',
	'SELECT count(*) FROM secmed_published.trial GROUP BY age', 'SELECT count(*) FROM secmed_published.trial FOR UPDATE',
	'SELECT count(*) INTO stolen FROM secmed_published.trial', 'SELECT count(*) OVER () FROM secmed_published.trial',
	'SELECT count(*) FROM secmed_published.trial TABLESAMPLE SYSTEM (1)',
	'SELECT count(*) FROM secmed_published.trial UNION SELECT 1', 'VALUES (1)', 'TABLE clinic.trial',
	'WITH gone AS (DELETE FROM clinic.trial RETURNING 1) SELECT count(*) FROM gone',
	'COPY clinic.trial TO STDOUT', 'CALL secmed.serve(NULL)', "SELECT lo_import('/etc/passwd')");

my @asks = (
	[ 'a good request',              'serves' ],
	[ 'it again',                    'serves', requester => 'anna' ],
	[ 'one that is not sealed',      'SM013: .*do not belong', raw => 1 ],
	[ 'one that it has not signed',  'SM011: .*"research" is not signed', signature => 1 ],
	[ 'a plan of another version',   'SM013: .*"research"', plan => 1 ],
	[ 'one in the name of lmu',      'SM013: node "research" .* in the name of node "lmu"', coordinator => 'lmu' ],
	[ 'another security model',      'SM003: .*"malicious"', model => 'malicious' ],
	[ 'a clock an hour ahead',       'SM003: the clocks .*"gemelli" and "research" differ by 3[56]\d\d s', seconds => 3600 ],
	[ 'a clock an hour behind',      'SM003: the clocks .*"gemelli" and "research" differ by 3[56]\d\d s', seconds => -3600 ],
	[ 'a clock a minute ahead',      'serves', seconds => 60 ],
	[ 'a single site',               'SM013: .*fewer than two sites', sites => 1 ],
	[ 'a run without gemelli',       'SM013: .*neither a site nor a party', stranger => 1 ],
	[ 'a site under another key',    'SM011: .*"charite"', fingerprint => 1 ],
	[ 'a site nobody knows',         'SM012: .*"basel"', site => 'basel' ],
	[ 'a role of 200 letters',       'serves', requester => 'x' x 200 ],
	[ 'a parameter the plan has not', 'SM003: .*parameters', parameter => '1' ],
	[ 'another table than the SQL',  'SM0\d\d: ', table => 'visit' ],
	(map { [ 'inputs: ' . $_->[0], $_->[1], then => $_->[0] ] }
		[ 'silence',       'SM010: .*"research"' ],
		[ 'the end',       'SM013: ' ],
		[ 'failure',       '57014: .*"research"' ],
		[ 'a false frame', 'SM013: .*do not belong' ],
		[ 'shares',        'SM013: ' ],
		[ 'finish',        'SM013: ' ],
		[ 'too few',       'SM013: .*number of sites' ],
		[ 'threshold',     'SM011: .*"gemelli"' ],
		[ 'package',       'SM013: .*"gemelli"' ],
		[ 'same',          'SM011: .*"charite"' ]),
	(map { [ 'SQL: ' . substr($_, 0, 60), '(SM003|0A000|42\w\d\d|54001): ', sql => $_ ] } @forbidden));

{
	my $coordinator = "$FindBin::RealBin/coordinator";
	ok(-x $coordinator, "$coordinator is there (make -f test/core.mk players)");
	my ($key) = glob $c->{cluster}{research}->data_dir . '/secmed/*.key';
	my $cases = join '', map { my ($about, $end, @words) = @$_; join("\t", @words) . "\n" } @asks;
	my ($out, $err) = ('', '');
	my $entries = $c->run('gemelli', 'SELECT count(*) FROM secmed.ledger');
	my $began = time;
	IPC::Run::run [ $coordinator, $c->conninfo('research', 'gemelli'), $key, @{ $c->{card} }{qw(gemelli charite lmu research)} ],
	  \$cases, \$out, \$err, IPC::Run::timeout(60);
	cmp_ok(time - $began, '<', 30, 'a coordinator that asks for the wrong things does not hold anything up');
	is($err, '', 'it has asked for all of them');
	note $out;
	my @ends = split /\n/, $out;
	for my $i (0 .. $#asks)
	{
		my ($about, $end) = @{ $asks[$i] };
		like($ends[$i] // '', qr/^$end/, "asked for $about");
	}
	ok(Secmed::within(5, sub { !$c->served('gemelli', 'active') }), 'nothing of it goes on');
	my ($asked, $ended) = map { scalar $c->audit('gemelli', 'run', "actor LIKE 'research:mallory' AND kind = '$_'") } qw(request outcome);
	cmp_ok($asked, '>', 40, 'the questions are on record');
	is($ended, $asked, 'and how each ended');
	is($c->audit('gemelli', 'outcome', "actor = 'research:mallory' AND outcome IN ('opened', 'released')"), 0, 'nothing was opened');
	works('after it');
}

# Strangers who may log in as a node ----------------------------------------

# Statements of the role that nodes log in as: (stdout, stderr).
sub as_node
{
	my ($name, $sql, @params) = @_;
	my $cluster = $c->{cluster}{$name};
	my ($ret, $out, $err) = $cluster->psql($name, $sql, connstr => $cluster->connstr($name) . ' user=node',
		on_error_stop => 0, extra_params => [ '-v', 'VERBOSITY=verbose', @params ]);
	return ($out, $err);
}

sub states { return join ' ', map { /ERROR:\s+(\w{5}):/ ? $1 : () } split /\n/, shift }

srand(20240611);
sub random_hex { return '\x' . join '', map { sprintf '%02x', rand 256 } 1 .. shift }

my @lengths = (0, 1, 2, 10, 64, 65, 100, 500, 512, 513, 10_000);
{
	my $random = join ";\n", map { "SELECT secmed.hello('" . random_hex($_) . "')" } @lengths;
	is(states((as_node('charite', $random))[1]), join(' ', ('SM013') x @lengths), 'random bytes are no hello');
	my @cut = map { "SELECT secmed.hello('" . substr($hello, 0, 2 + 2 * int $_ * (length($hello) - 2) / 42) . "')" } 0 .. 20;
	is(states((as_node('gemelli', join ";\n", @cut))[1]), join(' ', ('SM013') x @cut), 'nor is a part of one');
	my @flipped = map { my $byte = $_; "SELECT secmed.hello(set_bit('$hello', $byte * 8, 1 - get_bit('$hello', $byte * 8)))" } 5 .. 200;
	unlike((as_node('gemelli', join ";\n", @flipped))[0], qr/x/, 'nor one with a bit flipped');

	my (undef, $err) = as_node('gemelli', 'SELECT secmed.hello(' . made_up_hello('\x03') . ')');
	like($err, qr/SM013: node "gemelli" speaks another version/, 'nor one of another version');
	(undef, $err) = as_node('gemelli', 'SELECT secmed.hello(' . made_up_hello('\x02') . ')');
	like($err, qr/SM011: .*"research"/, 'nor one that is signed by nobody');

	my @calls = ('CALL secmed.serve(%s)', 'CALL secmed.link(%s)', 'SELECT secmed.describe(%s)');
	my @sequence = map { my $length = $_; map { sprintf $_, "'" . random_hex($length) . "'" } @calls } @lengths;
	my $all = join ";\n", @sequence;
	is(states((as_node('charite', $all))[1]), join(' ', ('SM013') x @sequence), 'without a hello nothing is served');
	is(states((as_node('gemelli', "SELECT secmed.hello('$hello');\n$all"))[1]), join(' ', ('SM013') x @sequence),
		'nor after a recorded hello, however often');
	is(states((as_node('charite', "SELECT secmed.hello('$hello')"))[1]), 'SM011', 'a hello to gemelli is not one to charite');

	(undef, $err) = as_node('gemelli', join ";\n", 'CALL secmed.serve(NULL)', 'CALL secmed.link(NULL)',
		"SELECT secmed.hello('$hello')", 'CALL secmed.serve(NULL)', 'CALL secmed.link(NULL)');
	is(() = $err =~ /ERROR:/g, 4, 'null is not served') or diag $err;
	like((as_node('gemelli', "SELECT secmed.hello('$hello');
		CALL secmed.serve(convert_to(repeat('x', 50000000), 'UTF8'))"))[1], qr/SM013/, 'nor are 50 MB');
	like((as_node('gemelli', "SELECT secmed.hello('$hello'); SELECT secmed.hello('$hello'); BEGIN;
		SELECT secmed.describe('\\x00'); SELECT 1; ROLLBACK; CALL secmed.serve('\\x00')"))[1], qr/SM013.*25P02.*SM013/s,
		'nor in a transaction');
	is(states((as_node('charite', 'SELECT * FROM clinic.trial; SELECT * FROM secmed.ledger; SELECT * FROM secmed.peer;
		SELECT secmed.node_card(); SELECT * FROM secmed_published.trial'))[1]) =~ s/42501//gr =~ s/\s+//gr, '',
		'and nothing else is allowed to them');
}

# Connections by hand, to leave them in the middle of anything.
sub connect_raw
{
	my ($name) = @_;
	my $cluster = $c->{cluster}{$name};
	my $socket = IO::Socket::UNIX->new(Peer => $cluster->host . '/.s.PGSQL.' . $cluster->port) or die "$name: $!";
	my $startup = pack('N', 196608) . join("\0", 'user', 'node', 'database', $name, '', '');
	print $socket pack('N', 4 + length $startup), $startup;
	$socket->flush;
	read_until($socket, 'Z');
	return $socket;
}

# Messages up to one of this type: their types.
sub read_until
{
	my ($socket, $last) = @_;
	my $types = '';
	local $SIG{ALRM} = sub { die "no message '$last' in time, but '$types'" };
	alarm 20;
	while (substr($types, -1) ne $last)
	{
		my ($head, $body) = ('', '');
		last unless read($socket, $head, 5) == 5;
		my ($type, $length) = unpack 'aN', $head;
		read $socket, $body, $length - 4;
		$types .= $type;
	}
	alarm 0;
	return $types;
}

sub message { my ($type, $body) = @_; return pack('aN', $type, 4 + length $body) . $body }

# Parse, Bind, Execute of a call with one argument, in binary.
sub call_message
{
	my ($sql, $argument) = @_;
	return message('P', "\0$sql\0" . pack('nN', 1, 17)) .
	  message('B', "\0\0" . pack('nnnN', 1, 1, 1, length $argument) . $argument . pack('nn', 1, 1)) .
	  message('E', "\0" . pack('N', 0));
}

{
	my $recorded = pack 'H*', substr $hello, 2;
	my $introduced = call_message('SELECT secmed.hello($1)', $recorded) . message('S', '');
	my $serve = call_message('CALL secmed.serve($1)', 'x' x 1000);
	my $describe = call_message('SELECT secmed.describe($1)', 'x' x 1000);
	my %left = (
		'after logging in' => '',
		'in the middle of a query' => pack('aN', 'Q', 1000) . 'SELECT',
		'in the middle of a hello' => substr($introduced, 0, 200),
		'before the end of a hello' => substr($introduced, 0, -5),
		'after a hello' => $introduced,
		'in the middle of a call' => $introduced . substr($serve, 0, 500),
		'before the end of a call' => $introduced . $serve,
		'after two calls' => $introduced . $serve . message('S', '') . $serve . message('S', ''),
		'in the middle of a frame that nobody asked for' => $introduced . $serve . message('S', '') . pack('aN', 'd', 100_000) . 'x' x 100,
		'after frames that nobody asked for' => $introduced . message('d', 'x' x 300_000) . message('c', '') . message('S', ''),
		'after calls without a hello' => $serve . $describe . message('S', ''),
		'in another protocol' => "GET / HTTP/1.1\r\n\r\n",
		'after a message of 2 GB that never comes' => pack('aN', 'd', 0x7fffffff) . 'x' x 100);
	for my $when (sort keys %left)
	{
		my $socket = connect_raw('gemelli');
		print $socket $left{$when};
		$socket->flush;
		sleep 0.1;
		close $socket;
	}
	$session->quit;
	ok(Secmed::within($SLEEP + 5, sub { !$c->served('gemelli') }), 'whoever leaves at whatever moment leaves no backend behind')
	  or diag $c->run('gemelli', "SELECT pid, state, wait_event, query FROM pg_stat_activity WHERE usename = 'node'");

	my $socket = connect_raw('gemelli');
	print $socket $introduced, $serve, message('S', ''), $serve, message('S', '');
	$socket->flush;
	is(join(' ', map { read_until($socket, 'Z') } 1 .. 3), '12DCZ 12EZ 12EZ', 'a call that fails does not end the connection');
	close $socket;
}

$session = $c->session;
works('after all the strangers');
is(started($_), $since{$_}, "$_ has not crashed") for @hospitals;
$c->ledger_is_whole($_) for @hospitals, 'research';

# Logs -----------------------------------------------------------------------

for my $name (@hospitals, 'research')
{
	my $log = slurp_file($c->{cluster}{$name}->logfile);
	my $found = '';
	for my $file (glob $c->{cluster}{$name}->data_dir . '/secmed/*.key')
	{
		# The key file ends with both secret keys: 64 bytes, two of a head, 32 bytes.
		my $keys = substr slurp_file($file), -98;
		for my $secret (substr($keys, 0, 32), substr($keys, 66, 32))
		{
			my $hex = unpack 'H*', $secret;
			my $base64 = substr encode_base64($secret, ''), 0, 40;
			$found .= " $file" if index(lc $log, $hex) >= 0 || index($log, $secret) >= 0 || index($log, $base64) >= 0;
		}
	}
	is($found, '', "$name\'s log has no secret key");
	unlike($log, qr/TRAP|was terminated by signal|PANIC|could not find|leaked|cache lookup/, "$name\'s log tells of no crash and no leak");
}

$session->quit;
done_testing();
