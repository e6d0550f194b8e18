# 025_payment.pl
#	  Runs that cost credits: held, paid and returned; two coordinators that race for the last credits, a
#	  crash between hold and release, and coordinators that would rather not pay.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Secmed;
use Test::More;

# The bank owns the payer's account; both desks may spend from it.
my @hospitals = qw(charite lmu gemelli);
my @desks = qw(research clinic);
my $c = Secmed->new(sites => \@hospitals, coordinator => 'research', parties => \@hospitals, one_cluster => 1,
	others => [ 'clinic', 'bank' ]);
my $keys = PostgreSQL::Test::Utils::tempdir;
$c->load_lung;
$c->publish('clinic.trial', 'trial', "$Secmed::LUNG_OPTIONS, columns => '{patient_id, sex, age, status, ph_ecog}'");
$c->import_tables;
$c->run('clinic', <<'END');
CREATE SERVER consortium FOREIGN DATA WRAPPER secmed OPTIONS (sites 'charite, lmu, gemelli', parties 'charite, lmu, gemelli');
IMPORT FOREIGN SCHEMA published FROM SERVER consortium INTO consortium;
GRANT SELECT ON ALL TABLES IN SCHEMA consortium TO alice;
END

# A contract that costs 10 credits --------------------------------------------

my %person = (ada => [ '--organisation', 'Uni', '--role', 'analyst', map { ('--node', $_) } @desks ], vera => [ '--organisation', 'Board', '--role', 'vetter' ],
	boss => [ '--organisation', 'Board', '--role', 'governance' ],
	(map { ("owner_$_" => [ '--organisation', $_, '--role', 'owner' ]) } @hospitals));
my %identity = map { Secmed::tool('', 'keygen', '--person', $_, "$keys/$_"); ($_ => Secmed::tool('', 'identity', "$keys/$_", @{ $person{$_} })) }
  sort keys %person;
my $founders = join ', ', map { "\$doc\$$identity{$_}\$doc\$" } sort keys %identity;
$c->run($_, "SELECT secmed.admit_founders($founders)") for @{ $c->{nodes} };
$c->run($_, "SELECT secmed.bind_identity(secmed.fingerprint_text(fingerprint), 'alice') FROM secmed.identity WHERE name = 'ada'") for @desks;
my ($ada, $ada_hex) = split /\|/, $c->run('bank', "SELECT secmed.fingerprint_text(fingerprint), encode(fingerprint, 'hex') FROM secmed.identity WHERE name = 'ada'");

sub signed
{
	my ($who, $draft) = @_;
	return Secmed::tool($c->run('research', "SET search_path = consortium; SET ROLE alice; SELECT $draft"), 'sign', "$keys/$who", '-');
}

sub done { return $c->run('research', 'SELECT secmed.submit_document($doc$' . signed(@_) . '$doc$)') }

my $contract = done('ada', qq{secmed.draft_contract('priced', 'How many', 'How many?', 'SELECT count(*) FROM trial',
	legal_basis => 'GDPR', terms => 'T', patients_min => 11, vetters => 1, price => 10, payees => '{"charite": 2, "lmu:pool": 1, "clinic": 1}')});
done('ada', "secmed.draft_contract_act('propose', 'priced')");
done('vera', "secmed.draft_contract_act('vet', 'priced', meaning => 'approval')");
done("owner_$_", "secmed.draft_contract_act('sign', 'priced', node => '$_')") for @hospitals;
done('ada', "secmed.draft_contract_act('accept', 'priced')");
$c->run('bank', "SELECT secmed.open_account('bank:ada', '$ada', '{research,clinic}')");
my $grant = signed('boss', "secmed.draft_grant('bank:ada', 40, 'a good year')");
$c->run('research', "SELECT secmed.submit_document(\$doc\$$grant\$doc\$)");
my $own = signed('ada', "secmed.draft_grant('bank:ada', 1000, 'I need it')");
$c->run('research', "SELECT secmed.submit_document(\$doc\$$own\$doc\$)");
$c->run('research', 'SELECT secmed.exchange_documents()');

sub standing { return $c->run('bank', "SELECT balance || ' ' || held FROM secmed.account WHERE address = 'bank:ada'") }

is($c->run($_, "SELECT state FROM secmed.contract"), 'active', "the contract is active at $_") for @hospitals;
is(standing(), '40 0', 'the governance grants credits, and nobody else does');

sub available { return $c->run('bank', "SELECT balance - held FROM secmed.account WHERE address = 'bank:ada'") }

# Parties tell, the owner settles, payees hear.
sub settle
{
	for my $node (@hospitals, 'bank')
	{
		$c->run($node, 'SELECT secmed.settle_payments()');
		$c->run($node, 'SELECT secmed.exchange_documents()');
	}
}

# Paying ---------------------------------------------------------------------

my $run = "SELECT n FROM secmed.run('priced') AS t(n bigint);";
my $pay = "SET secmed.account = 'bank:ada'; $run";

sub ask_at
{
	my ($node, $sql) = @_;
	my $cluster = $c->{cluster}{$node};
	return $cluster->psql($node, "SET search_path = consortium; $sql", connstr => $cluster->connstr($node) . ' user=alice',
		extra_params => [ '-v', 'VERBOSITY=verbose' ]);
}

like((ask_at('research', $run))[2], qr/ERROR:\s+SM045: .*costs 10 credits, and nobody pays/, 'a run that costs something is not for nothing');
like((ask_at('research', "SET secmed.account = 'bank:bob'; $run"))[2], qr/ERROR:\s+SM045: .*has no account/, 'nor is it paid from no account');
like((ask_at('research', $pay))[1], qr/^\d+$/, 'whoever pays is answered');
like(standing(), qr/^(40 10|30 0)$/, 'its price is held, or paid already');
settle();
is(standing(), '30 0', 'and then paid');
is(join(' ', map { $c->run($_, "SELECT string_agg(address || ' ' || balance, ', ') FROM secmed.account") } 'charite', 'lmu', 'clinic'),
	'charite 5 lmu:pool 2 clinic 3', 'to those whom the contract names, by weight; what does not divide is for the first');
settle();
is(standing(), '30 0', 'once');

# Failing --------------------------------------------------------------------

$c->run('lmu', "SELECT secmed.set_mode('closed')");
like((ask_at('research', $pay))[2], qr/ERROR:\s+SM041/, 'a site refuses');
$c->run('lmu', "SELECT secmed.set_mode('adhoc')");
like(standing(), qr/^30 (10|0)$/, 'the price is held, or returned already');
settle();
is(standing(), '30 0', 'and returned');

# Two coordinators -----------------------------------------------------------

# Three runs' worth is left, and four ask at once, at two nodes.
my $holder = $c->{cluster}{bank}->background_psql('bank');
$holder->query_safe('BEGIN; SELECT FROM secmed.account FOR UPDATE');
my @asked = map { my $node = $_; Secmed::meanwhile(sub { my ($ret, $out, $err) = ask_at($node, $pay); return $ret == 0 ? 'answered' : $err =~ /ERROR:\s+(SM\d+)/ ? $1 : $err }) }
  'research', 'clinic', 'research', 'clinic';
ok(Secmed::within(10, sub { 4 == $c->run('bank', "SELECT count(*) FROM pg_stat_activity WHERE datname = 'bank' AND usename = 'node' AND wait_event_type = 'Lock'") }),
	'four runs want the last credits at once');
$holder->query_safe('COMMIT');
$holder->quit;
is(join(' ', sort map { $_->() } @asked), 'SM045 answered answered answered', 'three are answered');
is(available(), 0, 'with all there is');

# How often charite and lmu have shared.
sub shared
{
	my $n = 0;
	$n += $c->run($_, 'SELECT count(*) FROM secmed.contract_use') for qw(charite lmu);
	return $n;
}

# Crash ----------------------------------------------------------------------

$c->{cluster}{bank}->stop('immediate');
$c->{cluster}{bank}->start;
is(available(), 0, 'a crash gives nothing back');
settle();
is(standing(), '0 0', 'and what was held is paid after it');
like((ask_at('clinic', $pay))[2], qr/ERROR:\s+SM045: .*has not enough credits/, 'then there is nothing left');
$grant = signed('boss', "secmed.draft_grant('bank:ada', 20, 'another year')");
$c->run('bank', "SELECT secmed.submit_document(\$doc\$$grant\$doc\$)");

# Killed once the price is held and before anything is opened: nobody ever opens it.
my $uses = shared();
my $late = $c->{cluster}{gemelli}->background_psql('gemelli');
$late->query_safe('BEGIN; LOCK TABLE clinic.trial IN ACCESS EXCLUSIVE MODE');
my $lost = Secmed::meanwhile(sub { return (ask_at('research', $pay))[0] == 0 ? 'answered' : 'failed' });
ok(Secmed::within(10, sub { shared() == $uses + 2 }),
	'a run has its price held, and two sites have shared');
$c->{cluster}{bank}->stop('immediate');
eval { $late->quit };
is(join(' ', $lost->()), 'failed', 'everything is killed');
$c->{cluster}{bank}->start;
is(standing(), '20 10', 'the price is still held');
$c->run($_, "UPDATE secmed.payment_run SET until = now() WHERE NOT told") for @hospitals;
settle();
is(standing(), '20 0', 'and returned when the time of the run is over');

# Not paying -----------------------------------------------------------------

my %oid = map { split /\|/ } split /\n/, $c->run('research', 'SELECT datname, oid FROM pg_database');

sub says
{
	my ($site, @words) = @_;
	my @cards = @{ $c->{card} }{ $site, (grep { $_ ne $site } @hospitals), 'research' };
	my ($in, $out, $err) = (join("\t", @words) . "\n", '', '');
	IPC::Run::run [ "$FindBin::RealBin/coordinator", $c->conninfo('research', $site),
		$c->{cluster}{research}->data_dir . "/secmed/$oid{research}.key", @cards ], \$in, \$out, \$err, IPC::Run::timeout(30);
	die "coordinator: $err" if $err ne '';
	return $out;
}

my @under = (contract => $contract, identity => $ada_hex, requester => 'alice', sql => 'SELECT count(*) FROM secmed_published.trial r1');
my $earlier = $c->run('bank', "SELECT encode(document, 'hex') FROM secmed.payment_hold WHERE state = 'paid' LIMIT 1");
like(says('lmu', @under), qr/^SM045: .*10 credits.*: The payment is missing/, 'a site does nothing for nothing');
like(says('lmu', @under, payment => $earlier), qr/^SM045: .*: The payment is for another run/, 'nor for what another run was paid with');
(my $broken = $earlier) =~ s/..$/00/;
like(says('lmu', @under, payment => $broken), qr/^SM045: .*: The payment is/, 'nor for something else');

# Statements -----------------------------------------------------------------

is($c->run('bank', "SELECT string_agg(move || ' ' || amount, ', ' ORDER BY serial) FROM secmed.statement('bank:ada')"),
	'grant 40, hold 10, pay 10, hold 10, return 10, hold 10, hold 10, hold 10, pay 10, pay 10, pay 10, grant 20, hold 10, return 10',
	'the statement tells every move');
is($c->run('bank', "SELECT count(*) FROM secmed.events e JOIN secmed.account_entry a ON a.head = e.plan AND a.move = e.outcome WHERE e.kind = 'account'"), 14,
	'and so does the ledger, by the same heads');
$c->run('bank', "UPDATE secmed.account_entry SET amount = 41, balance = 41 WHERE serial = 1");
my ($ret, $out, $err) = $c->{cluster}{bank}->psql('bank', "SELECT count(*) FROM secmed.statement('bank:ada')");
like($err, qr/account "bank:ada" is damaged at its move 1/, 'a statement that was changed is told from the true one');

done_testing();
