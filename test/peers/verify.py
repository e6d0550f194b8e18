#!/usr/bin/env python3
"""Verifies exported ledgers: a second reader of docs/spec/ledger.md.

    verify.py [--policy FILE] DIR...      exports
    verify.py --policy FILE FILE          a proof of an entry, or of a fork

Prints one line of JSON as `secmed verify --json` does (its reasons may have
other words), exit status 0 intact, 1 violated, 2 unreadable.  Python's standard
library only, and slow: Ed25519 (RFC 8032) is written out below.
"""
import base64, datetime, hashlib, hmac, json, os, re, sys, time, uuid

NUMBER_MAX = 2**63 - 1
ZEROS = bytes(32)


def sha256(*parts):
    return hashlib.sha256(b''.join(parts)).digest()


# ---- Ed25519 (RFC 8032, 5.1), without the cofactor; small orders are refused

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def recover_x(y, sign):
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT % P
    if (x * x - x2) % P:
        return None
    return P - x if x & 1 != sign else x


def add(a, b):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = a, b
    e, f = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    h, g, k, i = f - e, d + c, d - c, f + e
    return h * k % P, g * i % P, k * g % P, h * i % P


IDENTITY = (0, 1, 1, 0)


def times(n, point):
    result = IDENTITY
    while n:
        if n & 1:
            result = add(result, point)
        point = add(point, point)
        n >>= 1
    return result


def is_identity(point):
    x, y, z, _ = point
    return x % P == 0 and (y - z) % P == 0


def decode_point(encoded):
    y = int.from_bytes(encoded, 'little')
    sign, y = y >> 255, y & (2**255 - 1)
    x = recover_x(y, sign) if y < P else None
    return None if x is None else (x, y, 1, x * y % P)


def encode_point(point):
    x, y, z, _ = point
    inverse = pow(z, P - 2, P)
    return (y * inverse % P | (x * inverse % P & 1) << 255).to_bytes(32, 'little')


BASE = decode_point((4 * pow(5, P - 2, P) % P).to_bytes(32, 'little'))
known_signatures = {}


def ed25519_verify(key, message, signature):
    name = (key, message, signature)
    if name not in known_signatures:
        known_signatures[name] = ed25519_check(*name)
    return known_signatures[name]


def ed25519_check(key, message, signature):
    a = decode_point(key)
    s = int.from_bytes(signature[32:], 'little')
    if len(signature) != 64 or a is None or s >= L or is_identity(times(8, a)):
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), 'little') % L
    x, y, z, t = times(k, a)
    r = add(times(s, BASE), (P - x, y, z, P - t))
    return not is_identity(times(8, r)) and encode_point(r) == signature[:32]


# ---- pieces of text

class Bad(Exception):
    """Says no to what is read."""


def unbase64(text, length=None):
    try:
        value = base64.b64decode(text, validate=True)
    except ValueError:
        raise Bad('base64')
    if base64.b64encode(value) != text or length not in (None, len(value)):
        raise Bad('base64')
    return value


def decimal(text, largest=NUMBER_MAX):
    if not re.fullmatch(rb'0|[1-9][0-9]{0,18}', text) or int(text) > largest:
        raise Bad('number')
    return int(text)


SPACES = set('\u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000+') | {chr(c) for c in range(0x2000, 0x200b)}


def note_name(name):
    """A key's name as text; its bytes are given."""
    try:
        text = name.decode()
    except UnicodeDecodeError:
        raise Bad('name')
    if not 1 <= len(name) <= 255 or any(c <= ' ' or c in SPACES for c in text):
        raise Bad('name')
    return text


NODE_NAME = r'[a-z][a-z0-9_-]{0,62}'
ORIGIN = re.compile(rf'secmed\.({NODE_NAME})/({NODE_NAME})/'
                    r'([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/([1-9][0-9]{0,6})')


def origin_parts(text):
    """(federation, site, ledger, epoch)"""
    match = ORIGIN.fullmatch(text)
    if not match or int(match[4]) > 1000000:
        raise Bad('origin')
    return match[1], match[2], match[3], int(match[4])


# ---- notes

class Key:
    def __init__(self, text):
        match = re.fullmatch(rb'([^+]*)\+([0-9a-f]{8})\+(.*)', text, re.S)
        if not match:
            raise Bad('key')
        self.text = text
        self.name = note_name(match[1])
        value = unbase64(match[3], 33)
        self.kind, self.public = value[0], value[1:]
        if self.kind not in (1, 4) or sha256(match[1], b'\n', value)[:4].hex().encode() != match[2]:
            raise Bad('key')
        self.id = bytes.fromhex(match[2].decode())


class Note:
    def __init__(self, data):
        if len(data) > 256 * 1024 or any(c < 32 and c != 10 for c in data):
            raise Bad('characters')
        try:
            data.decode()
        except UnicodeDecodeError:
            raise Bad('characters')
        at = data.rfind(b'\n\n')
        if at < 0 or data[-1:] != b'\n':
            raise Bad('no signatures')
        self.text = data[:at + 1]
        self.signatures = [self.signature(line) for line in data[at + 2:-1].split(b'\n')]
        if len(self.signatures) > 64:
            raise Bad('signatures')

    @staticmethod
    def signature(line):
        words = line.split(b' ')
        if len(words) != 3 or words[0] != '\u2014'.encode():
            raise Bad('signature')
        value = unbase64(words[2])
        if len(value) < 5:
            raise Bad('signature')
        return note_name(words[1]), value[:4], value[4:]

    def time_of(self, key):
        """When this key signed (0 for a log); None if it did not; Bad if forged."""
        found = None
        for name, number, value in self.signatures:
            if (name, number) == (key.name, key.id):
                at = self.check(key, value)
                found = at if found is None else found
        return found

    def check(self, key, value):
        at, message = 0, self.text
        if key.kind == 4:
            at, value = int.from_bytes(value[:8], 'big'), value[8:]
            message = b'cosignature/v1\ntime %d\n' % at + message
        if len(value) != 64 or at > NUMBER_MAX or not ed25519_verify(key.public, message, value):
            raise Bad('forged')
        return at


class Checkpoint(Note):
    def __init__(self, data):
        super().__init__(data)
        lines = self.text.split(b'\n')
        if len(lines) != 4:
            raise Bad('checkpoint')
        self.origin = note_name(lines[0])
        self.size = decimal(lines[1])
        self.root = unbase64(lines[2], 32)
        if self.size == 0 and self.root != sha256():
            raise Bad('checkpoint')


def split_notes(data):
    """Pieces that may be checkpoints, an empty line between two."""
    while data:
        text = data.find(b'\n\n')
        end = data.find(b'\n\n', text + 2) if text >= 0 else -1
        if end < 0 or end + 2 == len(data):
            yield data
            return
        yield data[:end + 1]
        data = data[end + 2:]


# ---- policies

class Policy:
    def __init__(self, data):
        if len(data) > 64 * 1024 or any((c < 32 and c not in (9, 10)) or c == 127 for c in data) or \
                (data and data[-1:] != b'\n'):
            raise Bad('policy')
        self.logs, self.witnesses, self.names, self.used, self.quorum = [], {}, {}, set(), []
        for line in data.split(b'\n'):
            words = [word for word in re.split(rb'[ \t]+', line) if word]
            if words and words[0][:1] != b'#':
                self.line(words[0], words[1:])
        if len(self.quorum) != 1 or len(self.names) > 128:
            raise Bad('policy')

    def define(self, name, value):
        if name == b'none' or name in self.names:
            raise Bad('policy')
        self.names[name] = value

    def key(self, words, kind, others):
        if not 1 <= len(words) <= 2:
            raise Bad('policy')
        key = Key(words[0])
        if key.kind != kind or any(key.public == other.public for other in others) or len(others) >= 64:
            raise Bad('policy')
        return key

    def line(self, word, rest):
        if word == b'log':
            self.logs.append(self.key(rest, 1, self.logs))
        elif word == b'witness' and rest:
            key = self.key(rest[1:], 4, self.witnesses.values())
            self.define(rest[0], key)
            self.witnesses[rest[0]] = key
        elif word == b'group' and len(rest) > 2:
            name, need, members = rest[0], rest[1], rest[2:]
            if any(m not in self.names or m in self.used for m in members) or len(set(members)) < len(members):
                raise Bad('policy')
            self.used.update(members)
            need = {b'any': 1, b'all': len(members)}.get(need) or decimal(need)
            if not 1 <= need <= len(members):
                raise Bad('policy')
            self.define(name, (need, members))
        elif word == b'quorum' and len(rest) == 1 and (rest[0] == b'none' or rest[0] in self.names):
            self.quorum.append(rest[0])
        else:
            raise Bad('policy')

    def witnessed(self, note):
        """Times of the witnesses that signed; Bad if they are no quorum."""
        times_ = {name: note.time_of(key) for name, key in self.witnesses.items()}

        def reached(name):
            value = self.names[name]
            if isinstance(value, Key):
                return times_[name] is not None
            return sum(map(reached, value[1])) >= value[0]
        if self.quorum[0] != b'none' and not reached(self.quorum[0]):
            raise Bad('quorum')
        return {self.witnesses[name].public: at for name, at in times_.items() if at is not None}

    def check(self, note):
        signed = [key for key in self.logs if note.time_of(key) is not None]
        if not any(key.name == note.origin for key in signed):
            raise Bad('log')
        return self.witnessed(note)


# ---- entries

# The names are those of the column "kind".
NAMES = {1: 'node created', 2: 'peer added', 3: 'peer removed', 4: 'published', 5: 'unpublished', 6: 'note', 7: 'shared table',
         8: 'document', 9: 'rule',
         10: 'request', 11: 'decision', 12: 'execution', 13: 'outcome', 14: 'approval', 20: 'key', 21: 'head', 22: 'erased', 23: 'fork',
         24: 'reviewed', 25: 'archived', 30: 'intent', 31: 'change', 32: 'precommit', 33: 'closed', 34: 'access', 35: 'login',
         36: 'restart'}
KINDS = set(NAMES)
KEY, HEAD, ERASED, REVIEWED = 20, 21, 22, 24
REQUEST, DECISION, EXECUTION, OUTCOME, INTENT, CHANGE, CLOSED = 10, 11, 12, 13, 30, 31, 33


class Cbor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if len(self.data) - self.at < n:
            raise Bad('short')
        self.at += n
        return self.data[self.at - n:self.at]

    def head(self, major, largest=NUMBER_MAX):
        first = self.take(1)[0]
        if first >> 5 != major or first & 31 > 27:
            raise Bad('type')
        value = first & 31
        if value >= 24:
            size = 1 << value - 24
            value = int.from_bytes(self.take(size), 'big')
            if value < (24, 1 << 8, 1 << 16, 1 << 32)[size.bit_length() - 1]:
                raise Bad('not the shortest')
        if value > largest:
            raise Bad('too large')
        return value

    def text(self, largest):
        try:
            text = self.take(self.head(3, largest)).decode()
        except UnicodeDecodeError:
            raise Bad('UTF-8')
        if '\0' in text:
            raise Bad('zero byte')
        return text

    def fixed(self, length):
        if self.head(2, length) != length:
            raise Bad('length')
        return self.take(length)

    def fixed_or_null(self, length):
        if self.data[self.at:self.at + 1] == b'\xf6':
            self.at += 1
            return None
        return self.fixed(length)


class Entry:
    def __init__(self, data):
        c = Cbor(data)
        if len(data) > 8192 or (c.head(4), c.head(0)) not in ((14, 1), (15, 2)):
            raise Bad('format')
        spooled = data[0] == 0x8f
        self.site, self.seq, self.prev = c.text(63), c.head(0), c.fixed(32)
        self.at_us, self.kind = c.head(0, 253402300799999999), c.head(0)
        self.run, self.actor, self.object = c.fixed_or_null(16), c.text(320), c.text(1024)
        self.plan, self.outcome, self.revealed = c.fixed_or_null(32), c.text(128), c.text(1024)
        self.counters = [c.head(0) for _ in range(c.head(4, 8))]
        self.commitment = c.fixed_or_null(32)
        self.spooled_us = c.head(0, 253402300799999999) if spooled else None
        if c.at != len(data) or self.kind not in KINDS or not re.fullmatch(NODE_NAME, self.site) or \
                (self.seq == 0 and self.prev != ZEROS):
            raise Bad('entry')
        self.leaf = sha256(b'\0', data)


def cbor_item(value):
    if value is None:
        return b'\xf6'
    major, body = (2, value) if isinstance(value, bytes) else (3, value.encode())
    n = len(body)
    return (bytes([major << 5 | n]) if n < 24 else bytes([major << 5 | 24, n]) if n < 256
            else bytes([major << 5 | 25]) + n.to_bytes(2, 'big')) + body


def time_text(us):
    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=us)
    return at.isoformat(timespec='microseconds') + 'Z'


def row(e):
    """The entry's columns, as an export may have them."""
    quoted = ['"%s"' % text.replace('"', '""') for text in (e.actor, e.object, e.outcome, e.revealed)]
    hexes = [(value or b'').hex() for value in (e.plan, e.commitment, e.leaf)]
    return ','.join((str(e.seq), time_text(e.at_us), NAMES[e.kind],
                     str(uuid.UUID(bytes=e.run)) if e.run else '', quoted[0], quoted[1], hexes[0], quoted[2],
                     quoted[3], ' '.join(map(str, e.counters)), hexes[1],
                     '' if e.spooled_us is None else time_text(e.spooled_us), hexes[2])).encode() + b'\n'


def ranges(e):
    """Rising ranges of entries before this one."""
    c = e.counters
    if not c or len(c) % 2 or any(x >= e.seq for x in c) or \
            any(c[i] < c[i - 1] + (i % 2 == 0) for i in range(1, len(c))):
        raise Bad('ranges')
    return list(zip(c[::2], c[1::2]))


class Stories:
    """Does each run's and each local action's end follow on a beginning?"""
    def __init__(self):
        self.requests = self.unfounded = 0
        self.first, self.partial, self.runs = None, False, {}

    def take(self, e):
        if e.run is None:
            return
        name = e.run, e.counters[0] if e.kind >= INTENT and e.counters else 0
        state = self.runs.get(name)
        if e.kind in (REQUEST, INTENT, CHANGE):
            self.requests += 1
            self.runs.setdefault(name, [0, False])[0] += 1
        elif e.kind in (DECISION, EXECUTION, OUTCOME, CLOSED):
            claims = e.kind in (EXECUTION, CLOSED) or e.outcome in (('yes',) if e.kind == DECISION
                                                                    else ('opened', 'released'))
            if (claims and not self.partial) if state is None else (e.kind == EXECUTION and not state[1]):
                self.unfounded += 1
                self.first = e.seq if self.first is None else self.first
            if state is None:
                return
            if e.kind == DECISION:
                state[1] |= e.outcome == 'yes'
            elif e.kind in (OUTCOME, CLOSED):
                state[0] -= 1
                if not state[0]:
                    del self.runs[name]


class History:
    """Which key holds for which sizes."""
    def __init__(self):
        self.logs, self.cosigners = [], []

    def accept(self, e):
        key = Key(e.object.encode())
        spans = self.logs if key.kind == 1 else self.cosigners
        old = spans[-1] if spans else None
        if e.outcome not in ('first', 'rotated', 'recovered', 'revoked', 'policy') or e.counters or \
                e.run is not None or e.commitment is not None or (e.plan is not None) != (key.kind == 1) or \
                len(spans) == 100 or (e.outcome == 'first') != (old is None):
            raise Bad('key entry')
        if e.outcome == 'policy':
            if key.kind != 1 or key.text != old['key'].text:
                raise Bad('key entry')
        elif any(key.public == span['key'].public for span in self.logs + self.cosigners):
            raise Bad('old key')
        else:
            self.name(e, key)
        self.signatures(e, key, old)
        handed = e.outcome in ('rotated', 'policy')
        spans.append({'key': key, 'above': e.seq + handed, 'policy': e.plan, 'handed': handed})
        return key.kind == 1 and handed

    def name(self, e, key):
        if key.kind == 4:
            if not self.logs or key.name != 'secmed.%s/%s/cosigner' % (self.last_origin()[0], e.site):
                raise Bad('name')
            return
        origin = origin_parts(key.name)
        if origin[1] != e.site:
            raise Bad('name')
        if e.outcome == 'first':
            good = origin[3] == 1
        else:
            last = self.last_origin()
            good = origin[:3] == last[:3] and (origin[3] == last[3] + 1 if e.outcome == 'rotated'
                                               else origin[3] > last[3])
        if not good:
            raise Bad('name')

    def last_origin(self):
        return origin_parts(self.logs[-1]['key'].name)

    @staticmethod
    def signatures(e, key, old):
        words = e.revealed.encode().split(b' ')
        keys = [key, old['key']] if e.outcome == 'rotated' else [key]
        if len(words) != len(keys):
            raise Bad('signatures')
        is_log = key.kind == 1
        statement = b'secmed/key/1\0\x85' + b''.join(map(cbor_item, (
            e.outcome, key.text.decode(), old['key'].text.decode() if old else None,
            e.plan if is_log else None, old['policy'] if is_log and old else None)))
        for word, signer in zip(words, keys):
            if not ed25519_verify(signer.public, statement, unbase64(word, 64)):
                raise Bad('signature')

    def span(self, size):
        """Index of the log key for checkpoints of this size, or None."""
        found = [i for i, span in enumerate(self.logs) if span['above'] < size]
        return found[-1] if found else None


# ---- the tree

def node(left, right):
    return sha256(b'\1', left, right)


class Frontier:
    def __init__(self):
        self.size, self.hashes = 0, []

    def append(self, leaf):
        bits = self.size
        while bits & 1:
            leaf = node(self.hashes.pop(), leaf)
            bits >>= 1
        self.hashes.append(leaf)
        self.size += 1

    def root(self):
        if not self.hashes:
            return sha256()
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node(left, root)
        return root


def tree_root(leaves):
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def included(leaf, index, size, path, root):
    """RFC 9162, 2.1.3.2"""
    if index >= size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def prefix_roots(path, m, n):
    """RFC 9162, 2.1.4.2, from a path that begins with its seed"""
    fn, sn = m - 1, n - 1
    if not path:
        raise Bad('path')
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            raise Bad('path')
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise Bad('path')
    return fr, sr


def tile_name(level, number, width):
    digits = '%03d' % number
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i:i + 3] for i in range(0, len(digits), 3)]
    path = ('csv/' if level == 'csv' else 'tile/%s/' % level) + '/'.join(['x' + g for g in groups[:-1]] + groups[-1:])
    return path if width == 256 else path + '.p/%d' % width


# ---- an export

class Violation(Exception):
    def __init__(self, entry, reason):
        super().__init__(reason)
        self.entry, self.reason = entry, reason


class Ledger:
    """One walk through an export; get(path) gives bytes or None."""
    def __init__(self, get, policy=None, now=0):
        self.get, self.anchor, self.now = get, policy, now
        self.site = self.parts = self.head = None
        self.verdict, self.entry, self.reason = 'intact', None, None
        self.anchored = self.archived = self.notes = self.opened = self.erased = self.withheld = 0
        self.silence, self.policy, self.leaves = 0, ZEROS, []
        self.heads, self.heads_checked, self.rows, self.reviews = [], 0, 0, 0
        self.stories = Stories()
        self.history, self.frontier = History(), Frontier()
        try:
            self.walk()
        except Violation as v:
            self.verdict, self.entry, self.reason = 'violated', v.entry, v.reason

    def walk(self):
        data = self.get('checkpoint')
        if data is None:
            self.verdict, self.reason = 'unreadable', 'has no checkpoint'
            return
        try:
            self.head = Checkpoint(data)
            parts = origin_parts(self.head.origin)
            if self.head.size == 0:
                raise Bad('empty')
            self.parts, self.site = parts[:3], parts[1]
        except Bad:
            raise Violation(None, 'has a checkpoint that can\'t be read')
        try:
            text = self.get('archived')
            archived = 0 if text is None else decimal(text[:-1], self.head.size)
            if archived % 256 or (text is not None and text[-1:] != b'\n'):
                raise Bad('archived')
        except Bad:
            raise Violation(None, 'does not say properly what is archived')
        self.prepare(data)
        self.next_note()
        self.next_payload()
        self.walk_bundles(archived)
        for level in range(1, 8):
            self.compare_partial(level)
        for seq, by in self.erased_by:
            if not any(entry == by and first <= seq <= last for entry, first, last in self.erasures):
                raise Violation(seq, 'lacks its body, and no entry says that it was erased')
        self.policy = self.history.logs[self.last_span]['policy']
        if self.anchor and not self.anchored:
            raise Violation(0, 'is under no note that the given policy accepts')

    def prepare(self, checkpoint):
        self.waiting = iter(list(split_notes(self.get('notes') or b'')) + [checkpoint])
        self.note, self.certified, self.last_span, self.due = None, 0, None, 0
        self.note_size, self.times, self.last_time, self.policies = 0, {}, 0, {}
        payloads = self.get('payloads') or b''
        self.payload_lines = iter(payloads.split(b'\n'))
        self.payload_at, self.payloads_left = None, len(payloads)
        self.opened_seqs, self.erased_by, self.erasures = [], [], []
        self.prev, self.last_at = ZEROS, 0
        self.upper = [[] for _ in range(9)]

    # -- notes

    def next_note(self):
        self.note = None
        data = next(self.waiting, None)
        if data is None:
            return
        try:
            note = Checkpoint(data)
        except Bad:
            raise Violation(self.certified, 'is under a note that can\'t be read')
        if note.size < self.note_size or note.size == 0 or note.size > self.head.size:
            raise Violation(self.certified, 'is under a note of a size that can\'t be')
        self.note, self.note_size = note, note.size

    def load_policy(self, span):
        wanted = self.history.logs[span]['policy']
        data = self.get('policy/' + wanted.hex())
        if data is None or sha256(data) != wanted:
            raise Bad('policy')
        return Policy(data)

    def check_note(self, note):
        number = self.history.span(note.size)
        if number is None:
            raise Bad('no key')
        span = self.history.logs[number]
        if number not in self.policies:
            self.policies = {number: (self.load_policy(number), self.load_policy(number - 1) if number else None)}
        policy, old = self.policies[number]
        if note.origin != span['key'].name or note.time_of(span['key']) is None:
            raise Bad('log')
        times_ = policy.check(note)
        if number != self.last_span and number > 0 and not span['handed']:
            old.witnessed(note)
        self.last_span = number
        for key, at in times_.items():
            if at < self.times.get(key, 0) or (self.now and at > self.now + 300):
                raise Bad('time')
            self.times[key] = at
        latest = max(times_.values(), default=0)
        if self.last_time and latest > self.last_time:
            self.silence = max(self.silence, latest - self.last_time)
        self.last_time = max(self.last_time, latest)
        if self.frontier.root() != note.root:
            raise Bad('root')
        if self.anchor:
            try:
                self.anchor.check(note)
                self.anchored = note.size
            except Bad:
                pass

    def check_notes(self):
        while self.note and self.note.size == self.frontier.size:
            try:
                self.check_note(self.note)
            except Bad as bad:
                raise Violation(self.certified, 'is under a note that is not good: %s' % bad)
            self.certified = self.note.size
            self.notes += 1
            self.next_note()
        if self.due == self.frontier.size and self.certified != self.due:
            raise Violation(self.due - 1, 'changes the key or policy, and no checkpoint ends with it')

    # -- bodies

    def next_payload(self):
        before, self.payload_at = self.payload_at, None
        if not self.payloads_left:
            return
        line = next(self.payload_lines)
        self.payloads_left -= len(line) + 1
        try:
            number, space, self.payload = line.partition(b' ')
            if self.payloads_left < 0 or not space:
                raise Bad('line')
            seq = decimal(number)
        except Bad:
            raise Violation(None, 'has a list of bodies that can\'t be read')
        if seq >= self.head.size or (before is not None and seq <= before):
            raise Violation(seq, 'has a body, and is not there or was listed before')
        self.payload_at = seq

    def check_payload(self, e):
        if self.payload_at != e.seq:
            self.withheld += e.commitment is not None
            return
        try:
            if e.commitment is None:
                raise Bad('no commitment')
            words = self.payload.split(b' ')
            if words[0] == b'opened' and len(words) == 3:
                salt, body = unbase64(words[1], 32), unbase64(words[2])
                if hmac.new(salt, b'secmed/commit/1' + body, 'sha256').digest() != e.commitment:
                    raise Bad('commitment')
                self.opened_seqs.append(e.seq)
                self.opened += 1
            elif words[0] == b'erased' and len(words) == 2:
                self.erased_by.append((e.seq, decimal(words[1])))
                self.erased += 1
            else:
                raise Bad('line')
        except Bad as bad:
            raise Violation(e.seq, 'has a body that is not good: %s' % bad)
        self.next_payload()

    # -- what entries say

    def take_head(self, e):
        if e.outcome != 'certified' or e.plan is None or e.run is not None or e.commitment is not None or \
                len(e.counters) != 1 or e.counters[0] == 0:
            raise Bad('head')
        self.heads.append((origin_parts(e.object)[:3], e.counters[0], e.plan))

    def take_erased(self, e):
        if e.outcome != 'erased' or e.plan is not None or e.run is not None or e.commitment is not None or \
                not e.object:
            raise Bad('erased')
        for first, last in ranges(e):
            here = [seq for seq in self.opened_seqs if first <= seq <= last]
            if here:
                raise Violation(here[0], 'is said to be erased, and its body is here')
            self.erasures.append((e.seq, first, last))

    def take_review(self, e):
        examined = ranges(e)
        if e.plan is None or e.run is not None or \
                any(not text or any(c < ' ' or c == '\x7f' for c in text) for text in (e.object, e.outcome)):
            raise Bad('review')
        if e.revealed:
            name, space, signature = e.revealed.encode().partition(b' ')
            key = Key(name)
            text = 'secmed.review/%s\n%s\n%s\n%s\n%s\n' % (
                e.site, ' '.join('%d-%d' % each for each in examined), base64.b64encode(e.plan).decode(),
                e.object, e.outcome)
            if key.kind != 1 or not space or not ed25519_verify(key.public, text.encode(), unbase64(signature, 64)):
                raise Bad('signature')
        last = examined[-1][1]
        tile = self.get(tile_name(0, last // 256, min(256, self.head.size - last // 256 * 256))) or b''
        if tile[last % 256 * 32:last % 256 * 32 + 32] != e.plan:
            raise Bad('other entries')
        self.reviews += 1

    def check_entry(self, seq, data, stored):
        try:
            e = Entry(data)
            if e.seq != seq or e.site != self.site or e.prev != self.prev or e.at_us < self.last_at or \
                    e.leaf != stored:
                raise Bad('link, or the tree')
            self.last_at = e.at_us
            if e.kind == KEY and self.history.accept(e):
                self.due = seq + 1
            elif e.kind == HEAD:
                self.take_head(e)
            elif e.kind == ERASED:
                self.take_erased(e)
            elif e.kind == REVIEWED:
                self.take_review(e)
            else:
                self.stories.take(e)
        except Bad as bad:
            raise Violation(seq, 'is not good: %s' % bad)
        self.check_payload(e)
        if self.csv is not None:
            if not self.csv.startswith(row(e), self.csv_at):
                raise Violation(seq, 'has other columns than its bytes say')
            self.csv_at += len(row(e))
        self.grow(stored)

    # -- tiles

    def grow(self, leaf):
        self.prev = leaf
        self.leaves.append(leaf)
        self.frontier.append(leaf)
        level, hash_ = 0, leaf
        while True:
            self.upper[level].append(hash_)
            if len(self.upper[level]) % 256:
                break
            tile = self.upper[level][-256:]
            if level:
                self.compare(level, len(self.upper[level]) // 256 - 1, tile)
            hash_, level = tree_root(tile), level + 1
        self.check_notes()

    def compare(self, level, number, tile):
        stored = self.get(tile_name(level, number, len(tile))) or b''
        same = 0
        if len(stored) == 32 * len(tile):
            while same < len(tile) and stored[32 * same:32 * same + 32] == tile[same]:
                same += 1
        if same < len(tile):
            raise Violation((number * 256 + same) << 8 * level, 'is below a stored hash that is wrong')

    def compare_partial(self, level):
        hashes = self.upper[level]
        if len(hashes) % 256:
            self.compare(level, len(hashes) // 256, hashes[len(hashes) // 256 * 256:])

    def walk_bundles(self, archived):
        for seq in range(0, self.head.size, 256):
            width = min(256, self.head.size - seq)
            tile = self.get(tile_name(0, seq // 256, width))
            if tile is None or len(tile) != 32 * width:
                raise Violation(seq, 'has no hash in the tree')
            bundle = self.get(tile_name('entries', seq // 256, width))
            stored = [tile[i:i + 32] for i in range(0, len(tile), 32)]
            if bundle is None:
                if seq + width > archived:
                    raise Violation(seq, 'is missing')
                self.archived += width
                self.stories.partial = True
                for i, leaf in enumerate(stored):
                    if self.payload_at == seq + i:
                        raise Violation(seq + i, 'has a body, and is not there')
                    self.grow(leaf)
                continue
            self.csv, self.csv_at = self.get(tile_name('csv', seq // 256, width)), 0
            self.rows += width if self.csv is not None else 0
            for i, leaf in enumerate(stored):
                length = int.from_bytes(bundle[:2], 'big')
                if len(bundle) < 2 + length or len(bundle) < 2:
                    raise Violation(seq + i, 'is cut off')
                self.check_entry(seq + i, bundle[2:2 + length], leaf)
                bundle = bundle[2 + length:]
            if bundle or (self.csv is not None and self.csv_at != len(self.csv)):
                raise Violation(seq + width, 'is not in the tree')

    def violate(self, entry, reason):
        if self.verdict == 'intact':
            self.verdict, self.entry, self.reason = 'violated', entry, reason

    def report(self):
        return {'verdict': self.verdict, 'site': self.site, 'entry': self.entry, 'reason': self.reason,
                'origin': self.head.origin if self.site else '', 'size': self.head.size if self.head else 0,
                'root': (self.head.root if self.head else ZEROS).hex(), 'policy': self.policy.hex(),
                'anchored': self.anchored, 'archived': self.archived, 'notes': self.notes,
                'keys': len(self.history.logs), 'opened': self.opened, 'erased': self.erased,
                'withheld': self.withheld, 'heads': len(self.heads), 'heads_checked': self.heads_checked,
                'silence_s': self.silence, 'rows': self.rows, 'reviews': self.reviews,
                'requests': self.stories.requests, 'open': len(self.stories.runs),
                'unfounded': self.stories.unfounded, 'first_unfounded': self.stories.first}


# ---- several beside each other

def compare_ledgers(ledgers):
    good = [ledger for ledger in ledgers if ledger.verdict == 'intact']
    for i, b in enumerate(good):
        for a in good[:i]:
            differ = [n for n, (x, y) in enumerate(zip(a.leaves, b.leaves)) if x != y]
            if a.parts == b.parts and differ:
                a.violate(differ[0], 'differs between two copies of this ledger')
                b.violate(differ[0], 'differs between two copies of this ledger')
    for quoting in good:
        for parts, size, root in quoting.heads:
            for quoted in good:
                if quoted.parts != parts:
                    continue
                if size > quoted.head.size:
                    quoted.violate(quoted.head.size, 'is missing, and another ledger has seen it certified')
                elif tree_root(quoted.leaves[:size]) != root:
                    quoted.violate(size - 1, 'is below a head that another ledger has seen otherwise')
                else:
                    quoting.heads_checked += 1


def verify_exports(gets, policy=None, now=0):
    ledgers = [Ledger(get, policy, now) for get in gets]
    compare_ledgers(ledgers)
    for verdict in ('violated', 'unreadable', 'intact'):
        for ledger in ledgers:
            if ledger.verdict == verdict:
                return {'verdict': verdict, 'site': ledger.site, 'entry': ledger.entry, 'reason': ledger.reason,
                        'ledgers': [each.report() for each in ledgers]}


# ---- proof files

def read_path(data):
    """Hashes, a line each, to an empty line; and what follows."""
    path = []
    while True:
        line, newline, data = data.partition(b'\n')
        if not newline or len(path) > 65:
            raise Bad('path')
        if not line:
            return path, data
        path.append(unbase64(line, 32))


def verify_proof(data, policy):
    index = 0
    try:
        first, second, rest = data.split(b'\n', 2)
        extra = b''
        if second[:6] == b'extra ':
            extra = unbase64(second[6:])
            second, rest = rest.split(b'\n', 1)
        if first != b'c2sp.org/tlog-proof@v1' or second[:6] != b'index ':
            raise Bad('proof')
        index = decimal(second[6:])
        path, note = read_path(rest)
        note = Checkpoint(note)
        policy.check(note)
        e = Entry(extra)
        if not included(e.leaf, index, note.size, path, note.root) or e.seq != index or \
                origin_parts(note.origin)[1] != e.site:
            raise Bad('proof')
        return {'verdict': 'intact', 'site': e.site, 'entry': index, 'reason': None}
    except (Bad, ValueError) as bad:
        return {'verdict': 'violated', 'site': None, 'entry': None, 'reason': str(bad)}


def signed_by(note, key):
    try:
        return note.time_of(key) is not None
    except Bad:
        return False


def verify_fork(data, policy):
    convicted = 0
    reason = None
    try:
        first, rest = data.split(b'\n', 1)
        path, rest = read_path(rest)
        notes = [Checkpoint(note) for note in split_notes(rest)]
        if first != b'secmed-fork@v1' or len(notes) != 2 or notes[0].origin != notes[1].origin or \
                notes[0].size > notes[1].size or notes[0].size == 0:
            raise Bad('fork')
        if notes[0].size == notes[1].size:
            conflict = not path and notes[0].root != notes[1].root
        else:
            m_root, n_root = prefix_roots(path, notes[0].size, notes[1].size)
            conflict = n_root == notes[1].root and m_root != notes[0].root
        if not conflict:
            raise Bad('no conflict')
        keys = [key for key in policy.logs if key.name == notes[0].origin] + list(policy.witnesses.values())
        convicted = sum(signed_by(notes[0], key) and signed_by(notes[1], key) for key in keys)
        if not convicted:
            raise Bad('convicts nobody')
    except (Bad, ValueError) as bad:
        reason = str(bad)
    return {'verdict': 'violated' if reason else 'intact', 'site': None, 'entry': None, 'reason': reason,
            'convicted': convicted}


def verify_file(data, policy):
    if data.startswith(b'c2sp.org/tlog-proof@'):
        return verify_proof(data, policy)
    if data.startswith(b'secmed-fork@'):
        return verify_fork(data, policy)
    return {'verdict': 'unreadable', 'site': None, 'entry': None, 'reason': 'is neither a directory nor a proof'}


STATUS = {'intact': 0, 'violated': 1, 'unreadable': 2}


def directory(path):
    def get(name):
        try:
            with open(os.path.join(path, name), 'rb') as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
    return get


def main(arguments):
    policy = None
    if arguments[:1] == ['--policy']:
        with open(arguments[1], 'rb') as file:
            policy = Policy(file.read())
        arguments = arguments[2:]
    if len(arguments) == 1 and os.path.isfile(arguments[0]):
        with open(arguments[0], 'rb') as file:
            result = verify_file(file.read(), policy)
    else:
        result = verify_exports([directory(path) for path in arguments], policy, int(time.time()))
    print(json.dumps(result))
    return STATUS[result['verdict']]


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
