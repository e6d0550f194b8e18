#!/usr/bin/perl
# proxy.pl
#	  A distance between programs of one machine: TCP with a delay.
#
#     bench/proxy.pl MILLISECONDS LISTEN:TARGET...
#
# Every byte that reaches 127.0.0.1:LISTEN arrives at 127.0.0.1:TARGET after
# so many milliseconds, and so do the answers: a round trip takes twice that.
# Bandwidth is not limited, and opening a connection takes no time.  Prints
# "ready" when it listens.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my $CHUNK = 256 * 1024;
# Bytes on the way in one direction before we stop reading.
my $QUEUE_MAX = 64 * 1024 * 1024;

my $delay = shift() / 1000;
my %target;    # listening socket => port
my %way;       # socket => { to, queue of [due, bytes], bytes, ended }
my $listening = IO::Select->new;
$SIG{PIPE} = 'IGNORE';

for (@ARGV)
{
	my ($listen, $port) = split /:/;
	my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $listen, Listen => 128, ReuseAddr => 1)
	  or die "port $listen: $@\n";
	$target{$socket} = $port;
	$listening->add($socket);
}
$| = 1;
print "ready\n";

while (1)
{
	my ($readable, $writable, $wait) = interest();
	my ($read, $write) = IO::Select->select($readable, $writable, undef, $wait);
	accept_one($_) for grep { $target{$_} } @{ $read // [] };
	take($_) for grep { $way{$_} } @{ $read // [] };
	give_due();
}

# Who may read, who may write, and how long until the next byte is due.
sub interest
{
	my $now = clock_gettime(CLOCK_MONOTONIC);
	my ($readable, $writable) = (IO::Select->new($listening->handles), IO::Select->new);
	my $wait;
	for my $way (values %way)
	{
		$readable->add($way->{from}) unless $way->{ended} || $way->{bytes} > $QUEUE_MAX;
		my $first = $way->{queue}[0] or next;
		my $left = $first->[0] - $now;
		if ($left <= 0) { $writable->add($way->{to}) }
		elsif (!defined $wait || $left < $wait) { $wait = $left }
	}
	return ($readable, $writable, $wait);
}

sub accept_one
{
	my ($listener) = @_;
	my $near = $listener->accept or return;
	my $far = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $target{$listener}) or return;
	for ([ $near, $far ], [ $far, $near ])
	{
		my ($from, $to) = @$_;
		$from->blocking(0);
		setsockopt $from, IPPROTO_TCP, TCP_NODELAY, 1;
		$way{$from} = { from => $from, to => $to, queue => [], bytes => 0, ended => 0 };
	}
}

# Reads what has come; an end of stream travels like a byte.
sub take
{
	my $way = $way{ +shift };
	my $n = sysread($way->{from}, my $bytes, $CHUNK);
	return if !defined $n && $!{EAGAIN};
	$way->{ended} = 1 unless $n;
	$way->{bytes} += $n // 0;
	push @{ $way->{queue} }, [ clock_gettime(CLOCK_MONOTONIC) + $delay, $n ? $bytes : undef ];
}

sub give_due
{
	my $now = clock_gettime(CLOCK_MONOTONIC);
	for my $way (values %way)
	{
		give($way) while @{ $way->{queue} } && $way->{queue}[0][0] <= $now && !$way->{full};
		$way->{full} = 0;
	}
	# Both directions have ended: forget the connection.
	my @over = grep { $way{$_}{closed} && $way{ $way{$_}{to} }{closed} } keys %way;
	delete @way{@over};
}

sub give
{
	my ($way) = @_;
	my $bytes = $way->{queue}[0][1];
	if (!defined $bytes)
	{
		shutdown $way->{to}, 1;
		$way->{closed} = 1;
		return shift @{ $way->{queue} };
	}
	my $n = syswrite $way->{to}, $bytes;
	if (!defined $n)
	{
		return $way->{full} = 1 if $!{EAGAIN};
		$n = length $bytes;    # nobody reads any more
	}
	$way->{bytes} -= $n;
	if ($n == length $bytes) { shift @{ $way->{queue} } }
	else { $way->{queue}[0][1] = substr $bytes, $n }
}
