# 022_rights.pl
#	  A coordinator that has the right key and not the right: it asks what the
#	  site's mode does not allow, what people have not said yes to, or once more
#	  than they have.  Every refusal is on the site's ledger, with its rule.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Secmed;
use Test::More;

my @hospitals = qw(charite lmu gemelli);
my $c = Secmed->new(sites => \@hospitals, one_cluster => 1);
my $keys = PostgreSQL::Test::Utils::tempdir;
$c->load_lung;
$c->publish('clinic.trial', 'trial', "$Secmed::LUNG_OPTIONS, columns => '{patient_id, sex, age, status, ph_ecog}'");
$c->import_tables;

# People ---------------------------------------------------------------------

# Carol decides for all sites; ada and bob could be readers.
$c->run('research', <<'END');
CREATE ROLE irb IN ROLE secmed_approver;
CREATE ROLE carol LOGIN IN ROLE irb;
CREATE ROLE mallory LOGIN;
END

my @documents;
for my $name (qw(ada bob cleo))
{
	Secmed::tool('', 'keygen', '--person', $name, "$keys/$name");
	push @documents, Secmed::tool('', 'identity', "$keys/$name", '--organisation', 'Uni', '--role', 'analyst', $name eq 'cleo' ? () : ('--node', 'research'));
}
my $founders = join ', ', map { "\$doc\$$_\$doc\$" } @documents;
$c->run($_, "SELECT secmed.admit_founders($founders)") for @hospitals;
my %reader = map { split /\|/ } split /\n/, $c->run('lmu', "SELECT name, encode(fingerprint, 'hex') FROM secmed.identity");

# What is asked --------------------------------------------------------------

my %oid = map { split /\|/ } split /\n/, $c->run('research', 'SELECT datname, oid FROM pg_database');

# The cases, lists of words of coordinator.c with their values, as a node with its key puts
# them to a site: a line for each.
sub says_as
{
	my ($node, $site, @cases) = @_;
	my @cards = @{ $c->{card} }{ $site, (grep { $_ ne $site } @hospitals), 'research' };
	my ($out, $err) = ('', '');
	my $in = join '', map { join("\t", @$_) . "\n" } @cases;
	IPC::Run::run [ "$FindBin::RealBin/coordinator", $c->conninfo($node, $site),
		$c->{cluster}{$node}->data_dir . "/secmed/$oid{$node}.key", @cards ], \$in, \$out, \$err, IPC::Run::timeout(30);
	die "coordinator: $err" if $err ne '';
	return split /\n/, $out;
}

sub says { my ($site, @words) = @_; return join "\n", says_as('research', $site, [ @words ]) }

# What the last request left on a site's ledger; nothing if that is the one of last time.
my %last;

sub recorded
{
	my ($site) = @_;
	my @entries = $c->audit($site, "run || '|' || kind || ' ' || outcome",
		"run = (SELECT run FROM secmed.audit WHERE kind = 'request' ORDER BY seq DESC LIMIT 1) AND kind <> 'approval'");
	my ($run) = split /\|/, $entries[0];
	return '' if $run eq ($last{$site} // '');
	my $recorded = join ', ', map { s/.*\|//r } @entries;
	$last{$site} = $run if $recorded =~ /outcome/;
	return $recorded;
}

# Refused by this rule, and that is on record.
sub refused
{
	my ($about, $rule, $state, $why, $site, @words) = @_;
	my $said = says($site, @words);
	my $recorded = "request received, decision no: $rule, outcome refused $state";
	like($said, qr/^$state: .*$why/, "$site refuses $about") or diag $said;
	is(recorded($site), $recorded, "$about: on record");
}

# Not understood, and so no request.
sub not_understood
{
	my ($about, $why, $site, @words) = @_;
	my $before = $c->audit($site, 'seq', "kind IN ('request', 'approval')");
	like(says($site, @words), qr/^SM013: .*$why/, "$site does not understand $about");
	is($c->audit($site, 'seq', "kind IN ('request', 'approval')"), $before, "$about: no question is on record");
}

sub random_id { return join '', map { sprintf '%02x', rand 256 } 1 .. 16 }

sub uuid { return shift =~ s/^(.{8})(.{4})(.{4})(.{4})/$1-$2-$3-$4-/r }

sub as_carol
{
	my ($site, $sql) = @_;
	my $cluster = $c->{cluster}{$site};
	return $cluster->safe_psql($site, $sql, connstr => $cluster->connstr($site) . ' user=carol');
}

# A question that carol has said yes to: its id.
sub approved
{
	my ($site, @words) = @_;
	my $id = random_id();
	is(says($site, submission => $id, @words, propose => 'whole'), 'pending', "$site puts a question before people");
	as_carol($site, "SELECT secmed.approve('" . uuid($id) . "')");
	return $id;
}

# Modes ----------------------------------------------------------------------

# Which table a question is about makes no difference to a closed node.
my $site = 'gemelli';
my $nobody = 'ff' x 32;
my @free = (closed => 'answers no questions', contracts => 'answers only questions that a contract allows');
while (my ($mode, $why) = splice @free, 0, 2)
{
	$c->run($site, "SELECT secmed.set_mode('adhoc', \"table\" => 'trial')") if $mode eq 'closed';
	$c->run($site, "SELECT secmed.set_mode('$mode')");
	for my $words ([], [ requester => 'alice' ], [ identity => $reader{ada} ], [ submission => random_id() ], [ reader => $reader{ada} ])
	{
		refused("mode $mode" . join(' ', '', @$words), 'mode', 'SM041', $why, $site, @$words);
	}
	refused("mode $mode, proposed", 'mode', 'SM041', $why, $site, submission => random_id(), propose => 'whole');
	$c->run($site, "SELECT secmed.set_mode(NULL, \"table\" => 'trial')") if $mode eq 'closed';
}
refused('a contract that it does not know', 'contract', 'SM042', '', $site, contract => $nobody);

# Who may ask is named with the coordinator's own name before it.
$c->run($site, "SELECT secmed.set_mode('adhoc', '{research:alice, lmu:mallory, lmu:*, research:$reader{ada}, research:$reader{cleo}}')");
is(says($site, requester => 'alice'), 'serves', 'who is named is answered');
is(says($site, identity => $reader{ada}), 'serves', 'and so is whose identity is named');
for my $name ('mallory', 'Alice', 'alice ', ' alice', 'alice,', 'alice (session of mallory)', 'lmu:mallory', '*', '', '%', '{alice}',
	'"alice"', "alice'", 'research:alice', "ali\x{cc}\x{81}ce")
{
	refused("a role named <$name>", 'mode', 'SM041', 'does not let', $site, requester => $name);
}
# The ledger takes no hashes for names, and what is not on record is not decided on.
like(says($site, requester => $reader{ada}), qr/^SM020: /, 'a role may not be named as an identity is');
refused('another identity', 'mode', 'SM041', 'does not let', $site, identity => $reader{bob});
refused('one who is named, and does not ask there', 'mode', 'SM041', 'does not let', $site, identity => $reader{cleo});
refused('an identity of nobody', 'mode', 'SM041', 'does not let', $site, identity => $nobody);
refused('one who is not named, proposed', 'mode', 'SM041', 'does not let', $site, submission => random_id(), propose => 'whole');
my $other = 'in the name of node "lmu"';
refused("another node's role", 'sender', 'SM013', $other, $site, coordinator => 'lmu');
refused("another node's name and a role of one's own", 'sender', 'SM013', $other, $site, coordinator => 'lmu', requester => 'alice');
refused("a proposal in another node's name", 'sender', 'SM013', $other, $site, coordinator => 'lmu', submission => random_id(), propose => 'whole');
refused("the site's own name", 'sender', 'SM013', 'in the name of node "gemelli"', $site, coordinator => $site);

# Approvals ------------------------------------------------------------------

for my $name (@hospitals)
{
	$c->run($name, "SELECT secmed.set_mode('adhoc'); SELECT secmed.require_approval('{irb}', \"table\" => 'trial')");
	my $no = 'has approved another question';
	my @once = (approval => 'SM048', 'was used by an earlier run', $name);
	my @other = (approval => 'SM048', $no, $name);
	my @unasked = (approval => 'SM047', 'asks named people before each such run', $name);
	my $id = approved($name, age => '60', reader => $reader{ada});
	my @asked = (submission => $id, age => '60', reader => $reader{ada});

	# None of these uses it up.
	refused('no submission', @unasked, age => '60', reader => $reader{ada});
	if ($name eq $site)
	{
		refused('another parameter', @other, @asked, age => '61');
		refused('another plan', @other, submission => $id, reader => $reader{ada});
		refused('another requester', @other, @asked, requester => 'alice');
		refused('another reader', @other, @asked, reader => $reader{bob});
		refused('no reader', @other, submission => $id, age => '60');
		refused('an identity', @other, @asked, identity => $reader{ada});
		refused('fewer sites', @other, @asked, sites => 2);
		refused('a submission of which nobody knows', @unasked, @asked, submission => random_id());
		refused("another node's name with it", 'sender', 'SM013', $other, $name, @asked, coordinator => 'lmu');
		refused('a reader of whom nobody knows', 'columns', 'SM040', '', $name, @asked, reader => $nobody);
	}

	# Nor does what another node says about it.
	my $third = $name eq 'lmu' ? 'charite' : 'lmu';
	is((says_as($third, $name, [ @asked, propose => 'whole' ]))[0], 'other', "$third proposes it, too");
	like((says_as($third, $name, [ @asked ]))[0], qr/^SM048: .*$no/, 'and asks it');
	says_as($third, $name, [ withdraw => $id ]);
	is(says($name, @asked, propose => 'whole'), 'approved', 'it is approved all the same');

	# Once, and not again, whatever became of it.
	like(says($name, @asked, then => 'the end'), qr/^SM013: .*ended before its inputs/, 'what was approved is answered');
	refused('it again', @once, @asked);
	refused('it again, later', @once, @asked, seconds => 60);
	is(says($name, @asked, propose => 'whole'), 'used', 'nor is it a new question');

	# The past: neither a used approval nor a rule is undone by looking at it.
	$id = approved($name, age => '60');
	my @twice = split /\n/, says($name, submission => $id, age => '60', then => 'the end', past => 1);
	like($twice[0], qr/^SM013: .*ended before its inputs/, 'approved and answered');
	like($twice[1], qr/^SM013: .*does not see what has changed/, 'but not again by who looks at the past');
	is(scalar $c->audit($name, 'seq', "kind = 'execution' AND run IN (SELECT run FROM secmed.audit WHERE statement LIKE '%''60''%')"), 2,
		"$name has shared once for each approval");
}

# Passes of one fit: as many as people were told, at any point, of this question alone.
my @points = map { "{1,1,2,$_,0,0,0,0,0,1,1}" } 1 .. 4;
my $fit = approved($site, fit => $points[0], passes => 3);
my @fit = (submission => $fit, passes => 3);
refused('one that says it is one of more passes', 'approval', 'SM048', 'has approved another question', $site, @fit, fit => $points[0], passes => 4);
refused('a single run of it', 'approval', 'SM048', 'has approved another question', $site, submission => $fit, fit => $points[0]);
refused('another plan as a pass', 'approval', 'SM048', 'has approved another question', $site, @fit, fit => $points[0],
	sql => 'SELECT secmed.exact_glm_sums($1, r1.sex::float8, 1, 0, ARRAY[1, r1.age::float8]) FROM secmed_published.trial r1');
refused('passes that differ in their rows', 'columns', 'SM003', 'differ in the point', $site, @fit, 'fit of some' => $points[0]);
refused('proposed passes that differ in their rows', 'columns', 'SM003', 'differ in the point', $site,
	submission => random_id(), passes => 3, 'fit of some' => $points[0], propose => 'whole');
not_understood('passes of what is no regression', 'does not allow', $site, submission => random_id(), passes => 3, age => '60');
not_understood('passes without a submission', 'does not allow', $site, passes => 3, fit => $points[0]);
not_understood('more passes than any fit has', 'does not allow', $site, submission => random_id(), passes => 1000, fit => $points[0]);
like(says($site, @fit, fit => $_, then => 'the end'), qr/^SM013: .*ended before its inputs/, 'a pass is answered') for @points[0 .. 2];
refused('a pass too many', 'approval', 'SM048', 'was used by an earlier run', $site, @fit, fit => $points[3]);

# An honest fit in a session that waits: each site's people are asked once, whatever the number of passes.
my ($fitted, $complaints) = ('', '');
my $waiting = IPC::Run::start [ 'psql', '-XAtq', '-d', $c->{cluster}{research}->connstr('research') . ' user=alice',
	'-c', "SET secmed.approval_wait = '60s'", '-c', 'SET client_min_messages = warning',
	'-c', "SELECT count(*) FROM secmed.glm('(status = 2) ~ age', 'consortium.trial', 'binomial')" ], '>', \$fitted, '2>', \$complaints, IPC::Run::timeout(120);
for my $name (@hospitals)
{
	my $asked = "question LIKE 'research:alice%one regression%'";
	ok($c->{cluster}{$name}->poll_query_until($name, "SELECT count(*) = 1 FROM secmed.asked_status WHERE $asked AND state = 'pending'"),
		"$name asks about a fit");
	as_carol($name, "SELECT secmed.approve(id) FROM secmed.pending WHERE $asked");
}
$waiting->finish;
is("$fitted$complaints", "2\n", 'the fit runs');
for my $name (@hospitals)
{
	is($c->run($name, q{SELECT count(DISTINCT run), count(*) > 3 FROM secmed.events WHERE kind = 'approval' AND outcome = 'used' AND actor = 'research:alice'}),
		'1|t', "$name: one yes was for all passes");
}

# Rejected, held and withdrawn.
my $id = approved($site, age => '60');
as_carol($site, "SELECT secmed.hold('" . uuid($id) . "', 'wait')");
refused('what is held', 'approval', 'SM047', 'holds this question back', $site, submission => $id, age => '60');
as_carol($site, "SELECT secmed.reject('" . uuid($id) . "', 'no')");
refused('what is rejected', 'approval', 'SM048', 'has rejected', $site, submission => $id, age => '60');
$id = approved($site, age => '60');
says($site, withdraw => $id);
refused('what was withdrawn', 'approval', 'SM048', 'is withdrawn', $site, submission => $id, age => '60');
is(says($site, submission => $id, age => '60', propose => 'whole'), 'withdrawn', 'and it stays so');

# Proposals ------------------------------------------------------------------

my @proposal = (submission => random_id());
not_understood('half a proposal', '', $site, @proposal, propose => 'cut');
not_understood('none', '', $site, @proposal, propose => 'nothing');
not_understood('a byte more', '', $site, @proposal, propose => 'more');
not_understood('two in one', '', $site, @proposal, propose => 'twice');
not_understood('another word', '', $site, @proposal, propose => 'another word');
not_understood('one of many megabytes', '', $site, @proposal, propose => 'huge');
not_understood('one that is not sealed', 'do not belong', $site, @proposal, propose => 'whole', raw => 1);
not_understood('one without a submission', 'the protocol does not allow', $site, propose => 'whole');
not_understood('one with a plan of another version', 'the protocol does not allow', $site, @proposal, propose => 'whole', plan => 1);
like(says($site, @proposal, propose => 'whole', signature => 1), qr/^SM011: .*not signed/, 'nor one that is not signed');
refused('a proposal of an hour ago', 'sender', 'SM003', 'clocks', $site, @proposal, propose => 'whole', seconds => -3600);
refused('a proposal that names a stranger', 'sender', 'SM012', 'basel', $site, @proposal, propose => 'whole', site => 'basel');
refused('a proposal about what is not published', 'columns', 'SM015', '', $site, @proposal, propose => 'whole', table => 'secrets');
refused('a proposal that is not an aggregate', 'columns', 'SM003', '', $site, @proposal, propose => 'whole', sql => 'SELECT age FROM secmed_published.trial');
is($c->run($site, "SELECT count(*) FROM secmed.asked WHERE id = '" . uuid($proposal[1]) . "'"), 0, 'nobody is asked about any of them');

# A server whose transactions keep their snapshots by default serves honest nodes all the same.
$c->run($_, "SELECT secmed.waive_approval('trial'); ALTER DATABASE $_ SET default_transaction_isolation = 'serializable'") for @hospitals;
is(($c->ask('SELECT count(*) FROM consortium.trial'))[1], '228', 'an honest question is answered');
like(says($site), qr/^SM013: .*does not see what has changed/, 'though who does not choose the level is refused');

$c->ledger_is_whole($_) for @hospitals;
unlike(slurp_file($c->{cluster}{$site}->logfile), qr/TRAP|was terminated by signal|PANIC|leaked|cache lookup/, 'no server has crashed');
done_testing();
