# 010_ledger_crash.pl
#	  Whatever is killed, stopped or full: no note that was acknowledged is
#	  lost, none is there twice, and the ledger is whole.
#
# Clients keep their own record of what psql told them.  Every note has words of
# its own, so each can be counted in the ledger.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use List::Util qw(min);
use POSIX ();
use PostgreSQL::Test::Utils;
use Secmed;
use Test::More;
use Time::HiRes qw(sleep time);

my $kills = $ENV{SECMED_LONG} ? 100 : 8;
my $stops = $ENV{SECMED_LONG} ? 50 : 6;
my $dir = PostgreSQL::Test::Utils::tempdir;

# A clock that the test sets: seconds in a file, added to the time of day.
my $clock = "$dir/clock";
append_to_file("$dir/clock.c", <<'END');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long
jump(void)
{
	char		text[32] = {0};
	int			fd = open(getenv("TEST_CLOCK"), O_RDONLY);

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	return atol(text);
}

int
gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	static int	(*real) (struct timeval *, void *);
	int			result;

	if (!real)
		real = (int (*) (struct timeval *, void *)) dlsym(RTLD_NEXT, "gettimeofday");
	result = real(tv, tz);
	tv->tv_sec += jump();
	return result;
}
END
system_or_bail('cc', '-shared', '-fPIC', '-o', "$dir/clock.so", "$dir/clock.c", '-ldl');

# Small WAL files: a limit on the size of files shall meet the ledger's, not these.
my $cluster = PostgreSQL::Test::Cluster->new('clinic');
$cluster->init(extra => [qw(--no-locale -E UTF8 --wal-segsize=1)]);
$cluster->append_conf('postgresql.conf', <<'END');
shared_preload_libraries = 'secmed'
restart_after_crash = on
max_worker_processes = 32
log_statement = none
secmed.ledger_segment = 2048
secmed.checkpoint_interval = '50ms'
END
$ENV{TEST_CLOCK} = $clock;

sub start_server
{
	local $ENV{LD_PRELOAD} = "$dir/clock.so";
	# After a postmaster was killed its children need a moment to notice.
	return Secmed::within(20, sub { $cluster->{_pid} = undef; $cluster->start(fail_ok => 1) });
}
ok(start_server(), 'the server starts');
$cluster->safe_psql('postgres', $_) for 'CREATE DATABASE clinic', 'ALTER DATABASE clinic SET client_min_messages = warning';
sql('CREATE EXTENSION secmed');
sql("SELECT secmed.create_node('clinic')");

sub sql { return $cluster->safe_psql('clinic', shift) }

sub answers { return ($cluster->psql('clinic', 'SELECT 1', timeout => 5))[0] == 0 }

sub sequencer
{
	my $pid;
	Secmed::within(10, sub {
		$pid = sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'secmed sequencer' AND datname = 'clinic'") });
	return $pid;
}

# Clients ---------------------------------------------------------------------

my @clients;

# Settings come with the connection: SET is an action that the ledger has to record.

# One that writes notes until its file "stop" is there, through any number of crashes.
sub start_client
{
	my ($name, $settings) = @_;
	my $test = $$;
	my $pid = fork() // die "fork: $!";
	if (!$pid)
	{
		my $session = 0;
		$ENV{PGOPTIONS} = $settings;
		while (!-e "$dir/stop" && kill 0, $test)
		{
			$session++;
			open my $script, '>', "$dir/$name.sql" or POSIX::_exit(1);
			print $script "\\set ON_ERROR_STOP on\n";
			print $script "SELECT secmed.append_note('$name-$session-$_');\n\\echo $name-$session-$_\n" for 1 .. 200;
			close $script;
			system('psql -XAtq -f ' . "$dir/$name.sql -d '" . $cluster->connstr('clinic') .
				"' 2>>$dir/$name.err | grep -v '^\$' >>$dir/$name.acknowledged");
			sleep 0.02;
		}
		POSIX::_exit(0);
	}
	push @clients, $pid;
}

# Those that were acknowledged since the last time.
sub stop_clients
{
	append_to_file("$dir/stop", '');
	waitpid $_, 0 for splice @clients;
	unlink "$dir/stop";
	my @acknowledged = map { split /\n/, slurp_file($_) } glob "$dir/*.acknowledged";
	unlink glob "$dir/*.acknowledged";
	return @acknowledged;
}

sub all_there_once
{
	my ($about, @acknowledged) = @_;
	my %count;
	sql("SELECT secmed.append_note('so far')");	# after what is queued or spooled
	$count{$_}++ for split /\n/, sql("SELECT statement FROM secmed.audit WHERE kind = 'note'");
	my @lost = grep { !$count{$_} } @acknowledged;
	my @doubled = grep { $count{$_} > 1 && $_ ne 'so far' } sort keys %count;
	cmp_ok(scalar @acknowledged, '>', 0, "$about: " . @acknowledged . ' notes were acknowledged');
	is("@lost[0 .. min(9, $#lost)]", '', "$about: none is lost");
	is("@doubled[0 .. min(9, $#doubled)]", '', "$about: none is there twice");
	is(sql('SELECT ok, reason FROM secmed.verify_ledger()'), 't|', "$about: the ledger is whole");
}

# Kills -----------------------------------------------------------------------

my %victim = (
	'the sequencer' => "backend_type = 'secmed sequencer'",
	'a client' => "backend_type = 'client backend' AND query LIKE 'SELECT secmed.append_note%'",
	'the WAL writer' => "backend_type = 'walwriter'",
	'the checkpointer' => "backend_type = 'checkpointer'");

sub kill_something
{
	my ($what) = @_;
	if ($what eq 'everything')
	{
		my ($postmaster) = slurp_file($cluster->data_dir . '/postmaster.pid') =~ /^(\d+)/;
		my @all = ($postmaster, split /\n/, `ps -o pid= --ppid $postmaster`);
		kill 9, @all;
		$cluster->{_pid} = undef;
		return ok(start_server(), 'the server starts again');
	}
	my ($ret, $pid) = $cluster->psql('clinic', "SELECT pid FROM pg_stat_activity WHERE $victim{$what} LIMIT 1");
	kill 9, $pid if $pid;
}

start_client("crash$_", '') for 1 .. 4;
my %killed;
for my $round (1 .. $kills)
{
	my @what = ((sort keys %victim), 'everything');
	my $what = $what[ $round <= @what ? $round - 1 : int rand @what ];
	sleep 0.1 + rand 0.3;
	kill_something($what);
	$killed{$what}++;
	ok(Secmed::within(30, \&answers), "it answers after kill $round, of $what") or last;
}
diag join ', ', map { "$_ $killed{$_}" } sort keys %killed;
all_there_once("after $kills kills", stop_clients());

# Who ends in order signs all there is.
sql("SELECT secmed.append_note('signed at the end')");
my $entries = sql('SELECT count(*) FROM secmed.ledger');
$cluster->stop('fast');
ok(start_server(), 'it starts after an orderly stop');
cmp_ok(sql('SELECT max(size) FROM secmed.ledger_checkpoint'), '>=', $entries, 'and all was signed before it');

# The sequencer stopped --------------------------------------------------------

sub timed_note
{
	my ($settings, $note) = @_;
	my $began = time;
	local $ENV{PGOPTIONS} = $settings;
	my ($ret, $out, $err) = $cluster->psql('clinic', "\\set VERBOSITY verbose\nSELECT secmed.append_note('$note')",
		on_error_stop => 1);
	return ($ret, $err, time - $began);
}

sub times_there
{
	my ($note) = @_;
	return sql("SELECT count(*) FROM secmed.audit WHERE statement = '$note'");
}

sql("SELECT secmed.append_note('awake')");
my $pid = sequencer();
kill 'STOP', $pid;
my ($ret, $err, $seconds) = timed_note('-c secmed.node_timeout=500ms', 'stopped');
like($err, qr/SM020: the ledger did not confirm the entry/, 'a stopped sequencer: an error of its own');
cmp_ok($seconds, '<', 5, 'in time');
kill 'CONT', $pid;
($ret, $err) = timed_note('', 'goes on');
is($ret, 0, 'it goes on') or diag $err;
is(times_there('stopped'), 1, 'with what nobody waited for');

kill 'STOP', $pid;
my $blocked = Secmed::meanwhile(sub { timed_note('-c secmed.on_ledger_failure=block -c secmed.node_timeout=200ms', 'blocked') });
sleep 1;
kill 'CONT', $pid;
my @blocked = $blocked->();
is($blocked[0], 0, 'a session that blocks goes on as well') or diag "@blocked";
cmp_ok($blocked[-1], '>=', 0.9, 'after having waited');
is(times_there('blocked'), 1, 'its entry is there once');

kill 'STOP', $pid;
($ret, $err, $seconds) = timed_note('-c secmed.on_ledger_failure=block -c secmed.node_timeout=200ms -c statement_timeout=700ms', 'cancelled');
like($err, qr/57014/, 'and can be cancelled');
($ret, $err, $seconds) = timed_note('-c secmed.on_ledger_failure=spool -c secmed.node_timeout=300ms', 'spooled first');
is($ret, 0, 'a session that spools goes on at once') or diag $err;
($ret, $err, $seconds) = timed_note('-c secmed.on_ledger_failure=spool -c secmed.node_timeout=10s', 'spooled next');
is($ret, 0, 'and the next one') or diag $err;
cmp_ok($seconds, '<', 3, 'without waiting');
is(sprintf('%o', (stat glob($cluster->data_dir . '/secmed/*.spool'))[2] & 0777), '600', 'the spool is for the server alone');
kill 'CONT', $pid;
($ret, $err) = timed_note('', 'after the spool');
is(sql("SELECT string_agg(statement || ' ' || (spooled_at IS NOT NULL), ', ' ORDER BY seq) FROM secmed.audit WHERE kind = 'note' AND statement ~ 'spool'"),
	'spooled first true, spooled next true, after the spool false', 'what was spooled comes once, in its order');

# At any moment of a batch: taken, about to commit, committed.
start_client("stop$_", '-c secmed.on_ledger_failure=spool -c secmed.node_timeout=100ms') for 1 .. 4;
for my $round (1 .. $stops)
{
	sleep 0.05 + rand 0.1;
	kill 'STOP', $pid;
	sleep 0.25;
	kill 'CONT', $pid;
	sleep 0.2;
}
all_there_once("after $stops stops", stop_clients());
cmp_ok(sql('SELECT count(*) FROM secmed.audit WHERE spooled_at IS NOT NULL'), '>', 2, 'some of them by the spool');

# A spool and crashes -----------------------------------------------------------

# Many are spooled, everything dies, and again while they are taken in.
my $many = $ENV{SECMED_LONG} ? 20_000 : 2000;
$pid = sequencer();
kill 'STOP', $pid;
{
	local $ENV{PGOPTIONS} = '-c secmed.on_ledger_failure=spool -c secmed.node_timeout=100ms';
	sql("DO \$\$ BEGIN FOR i IN 1 .. $many LOOP PERFORM secmed.append_note('spooled-' || i); END LOOP; END \$\$");
}
kill_something('everything');
# What a torn write leaves, at the end and before what comes later.
my ($spool) = glob($cluster->data_dir . '/secmed/*.spool');
ok($spool, 'the spool is still there');
append_to_file($spool, substr slurp_file($spool), 40, 100) if $spool;
for my $round (1 .. ($ENV{SECMED_LONG} ? 30 : 3))
{
	# Whoever appends next starts the sequencer, which takes the spool in first.
	my $next = Secmed::meanwhile(sub { timed_note('', "between-$round") });
	sleep rand 0.2;
	kill_something('the sequencer');
	$next->();
	ok(Secmed::within(30, \&answers), "killed while the spool is taken in, $round");
}
($ret, $err) = timed_note('-c secmed.node_timeout=60s', 'all is in');
is($ret, 0, 'the ledger goes on') or diag $err;
all_there_once('a spool after crashes', map { "spooled-$_" } 1 .. $many);
is(sql('SELECT sum(lost) FROM secmed.ledger_spool'), 100, 'what was torn is told of');
is(join(' ', glob($cluster->data_dir . '/secmed/*.spool*')), '', 'no spool is left');

# A full disk -------------------------------------------------------------------

# The system refuses the sequencer to let any file grow beyond 3 MB, as a full disk would.
SKIP:
{
	$pid = sequencer();
	system('prlimit', "--pid=$pid", '--fsize=3145728:') == 0 or skip 'no prlimit', 8;
	sql("DO \$\$ BEGIN FOR i IN 1 .. 200 LOOP PERFORM secmed.append_note((SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 1500))); END LOOP;
		EXCEPTION WHEN SQLSTATE 'SM020' THEN NULL; END \$\$");
	# A name and 48 kB that do not get smaller.
	my $full = sub { "(SELECT '$_[0] ' || string_agg(md5(random()::text), '') FROM generate_series(1, 1500))" };
	my $note = sub {
		my ($settings, $name) = @_;
		my $began = time;
		local $ENV{PGOPTIONS} = $settings;
		my @result = $cluster->psql('clinic', "\\set VERBOSITY verbose\nSELECT secmed.append_note(" . $full->($name) . ')', on_error_stop => 1);
		return ($result[0], $result[2], time - $began);
	};
	($ret, $err, $seconds) = $note->('', 'refused');
	like($err, qr/SM020: the ledger did not take the entry\n.*could not extend file/s, 'a full disk: an error that says so');
	cmp_ok($seconds, '<', 5, 'in time');
	($ret, $err, $seconds) = $note->('-c secmed.on_ledger_failure=spool', 'spooled on a full disk');
	is($ret, 0, 'or the entry is spooled') or diag $err;
	my $waiting = Secmed::meanwhile(sub { $note->('-c secmed.on_ledger_failure=block', 'waited for room') });
	sleep 0.8;
	system('prlimit', "--pid=$pid", '--fsize=unlimited:');
	is(($waiting->())[0], 0, 'or one waits until there is room');
	ok(Secmed::within(10, sub { times_like('spooled on a full disk') == 1 }), 'then what was spooled comes');
	is(times_like('waited for room'), 1, 'and what was waited for, once');
	is(times_like('refused'), 0, 'but not what was refused');
	is(sql('SELECT ok, reason FROM secmed.verify_ledger()'), 't|', 'the ledger is whole');
}

sub times_like
{
	my ($note) = @_;
	return sql("SELECT count(*) FROM secmed.audit WHERE kind = 'note' AND statement LIKE '$note %'");
}

# The clock ---------------------------------------------------------------------

sub set_clock
{
	my ($jump) = @_;
	unlink $clock;
	append_to_file($clock, $jump);
}

for my $jump (86400, -7200, 3600, 0)
{
	set_clock($jump);
	($ret, $err, $seconds) = timed_note('', "clock $jump");
	is($ret, 0, "the clock jumps to $jump s") or diag $err;
	cmp_ok($seconds, '<', 3, 'and nobody waits for it');
	my $size = sql('SELECT count(*) FROM secmed.ledger');
	ok(Secmed::within(5, sub { sql('SELECT max(size) FROM secmed.ledger_checkpoint') >= $size }), 'checkpoints are signed');
}
is(sql('SELECT count(*) FROM (SELECT at < lag(at) OVER (ORDER BY seq) AS back FROM secmed.audit) a WHERE back'), 0, 'times never fall');
cmp_ok(sql("SELECT max(at) - clock_timestamp() > '23 hours' FROM secmed.audit"), 'eq', 't', 'though they were ahead');
is(sql('SELECT ok, reason FROM secmed.verify_ledger()'), 't|', 'the ledger is whole');

$cluster->stop;
done_testing();
