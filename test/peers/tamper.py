#!/usr/bin/env python3
"""Changes exported ledgers in every way and asks two verifiers about each.

    tamper.py TOOL DIRECTORY [long]

DIRECTORY holds what test/unit/test_export writes.  `TOOL verify` and verify.py
must agree on status, site and entry, always; and what is changed on purpose
must be found.  Last line: N passed, N failed.
"""
import base64, hashlib, json, os, random, shutil, subprocess, sys, tempfile

import verify

TOOL, SOURCE = sys.argv[1:3]
LONG = len(sys.argv) > 3
FIELDS = ('verdict', 'site', 'entry')
passed = failed = 0
random.seed(1)


def report(good, *words):
    global passed, failed
    passed, failed = passed + good, failed + (not good)
    if not good:
        print('FAILED', *words)


def both(paths, policy=None):
    """What each of the two says."""
    words = [TOOL, 'verify', '--json'] + (['--policy', policy] if policy else []) + paths
    done = subprocess.run(words, capture_output=True)
    try:
        theirs = json.loads(done.stdout)
    except ValueError:
        theirs = {'verdict': 'status %d' % done.returncode, 'error': done.stderr.decode()}
    read = open(policy, 'rb').read() if policy else None
    rules = verify.Policy(read) if policy else None
    if len(paths) == 1 and os.path.isfile(paths[0]):
        ours = verify.verify_file(open(paths[0], 'rb').read(), rules)
    else:
        ours = verify.verify_exports([verify.directory(path) for path in paths], rules)
    if verify.STATUS.get(theirs['verdict']) != done.returncode:
        theirs['verdict'] += ', status %d' % done.returncode
    return theirs, ours


def without_reasons(result):
    if isinstance(result, list):
        return [without_reasons(each) for each in result]
    if isinstance(result, dict):
        return {k: without_reasons(v) for k, v in result.items() if k != 'reason'}
    return result


def agree(what, paths, policy=None, must='violated'):
    theirs, ours = both(paths, policy)
    same = all(theirs.get(field) == ours[field] for field in FIELDS)
    if theirs['verdict'] == 'intact':
        same = without_reasons(theirs) == without_reasons(ours)
    report(same and must in (None, ours['verdict']), what, theirs, ours)
    return ours


class Copy:
    """A copy of an export to change and put right again."""
    def __init__(self, name):
        self.path = tempfile.mkdtemp()
        os.rmdir(self.path)
        shutil.copytree(os.path.join(SOURCE, name), self.path)
        self.name = name
        self.changed = {}
        self.files = sorted(os.path.relpath(os.path.join(top, file), self.path)
                            for top, _, files in os.walk(self.path) for file in files)

    def read(self, file):
        with open(os.path.join(self.path, file), 'rb') as opened:
            return opened.read()

    def write(self, file, data):
        full = os.path.join(self.path, file)
        self.changed.setdefault(file, self.read(file) if os.path.exists(full) else None)
        if data is None:
            os.remove(full)
        else:
            with open(full, 'wb') as opened:
                opened.write(data)

    def ask(self, what, must='violated'):
        ours = agree('%s: %s' % (self.name, what), [self.path], must=must)
        for file, data in self.changed.items():
            full = os.path.join(self.path, file)
            if data is None:
                os.remove(full)
            else:
                with open(full, 'wb') as opened:
                    opened.write(data)
        self.changed = {}
        return ours

    # -- the ledger as a list of entries, with the tiles made anew

    def entries(self):
        found = []
        for file in self.files:
            if file.startswith('tile/entries/'):
                data = self.read(file)
                while data:
                    n = int.from_bytes(data[:2], 'big')
                    found.append(data[2:2 + n])
                    data = data[2 + n:]
        return found

    def rebuild(self, entries):
        for file in self.files:
            if file.startswith('tile/'):
                self.write(file, None)
        level = [verify.sha256(b'\0', entry) for entry in entries]
        for at in range(0, len(entries), 256):
            part = entries[at:at + 256]
            self.put('tile/entries', at // 256, b''.join(len(e).to_bytes(2, 'big') + e for e in part), len(part))
        for number in range(3):
            for at in range(0, len(level), 256):
                part = level[at:at + 256]
                self.put('tile/%d' % number, at // 256, b''.join(part), len(part))
            level = [verify.tree_root(level[at:at + 256]) for at in range(0, len(level) // 256 * 256, 256)]

    def put(self, folder, number, data, width):
        file = verify.tile_name('@', number, width).replace('tile/@', folder)
        os.makedirs(os.path.dirname(os.path.join(self.path, file)), exist_ok=True)
        self.write(file, data)


def flips(copy, step, must):
    for file in copy.files:
        data = copy.read(file)
        for at in range(random.randrange(step), len(data), step):
            changed = bytearray(data)
            changed[at] ^= 1 << random.randrange(8)
            copy.write(file, bytes(changed))
            copy.ask('%s, byte %d is %d' % (file, at, changed[at]), must)


def cuts(copy, n):
    for file in copy.files:
        data = copy.read(file)
        for _ in range(n):
            copy.write(file, data[:random.randrange(len(data))])
            copy.ask('%s is cut' % file, None)
        copy.write(file, data + b'\n')
        copy.ask('%s is longer' % file)
        copy.write(file, None)
        copy.ask('%s is gone' % file, 'intact' if file.startswith('csv/') else None if file in ('payloads', 'notes') else
                 'unreadable' if file == 'checkpoint' else 'violated')


def rows(copy):
    entries = copy.entries()
    n = len(entries)
    long_seq = bytearray(entries[3])
    at = long_seq.index(b'\x03', len(copy.name) + 3)
    long_seq[at:at + 1] = b'\x18\x03'
    changes = {
        'two entries swapped': entries[:4] + [entries[5], entries[4]] + entries[6:],
        'the first two swapped': [entries[1], entries[0]] + entries[2:],
        'the tail deleted': entries[:-1],
        'the middle deleted': entries[:n // 2] + entries[n // 2 + 1:],
        'the first deleted': entries[1:],
        'an entry twice': entries[:5] + [entries[4]] + entries[5:],
        'one more at the end': entries + [entries[-1]],
        'a number in a longer form': entries[:3] + [bytes(long_seq)] + entries[4:],
        'a byte after an entry': entries[:3] + [entries[3] + b'\0'] + entries[4:],
        'an empty entry': entries[:3] + [b''] + entries[4:],
        'another actor': entries[:3] + [entries[3].replace(b'alice', b'alicf')] + entries[4:],
        'another last outcome': entries[:-1] + [entries[-1].replace(b'ok', b'no')],
    }
    for what, changed in changes.items():
        copy.rebuild(changed)
        copy.ask(what)
    copy.rebuild(entries)
    copy.ask('rebuilt as it was', 'intact')


def notes(copy):
    pieces = list(verify.split_notes(copy.read('notes')))
    checkpoint = copy.read('checkpoint')
    for i, piece in enumerate(pieces):
        copy.write('notes', b'\n'.join(pieces[:i] + pieces[i + 1:]))
        copy.ask('without note %d' % i, None)
        copy.write('notes', b'\n'.join(pieces[:i] + [piece] + pieces[i:]))
        copy.ask('note %d twice' % i, None)
        copy.write('checkpoint', piece)
        copy.ask('note %d for a checkpoint' % i,
                 'intact' if piece.split(b'\n')[1] == checkpoint.split(b'\n')[1] else 'violated')
        lines = piece.split(b'\n')
        copy.write('notes', b'\n'.join(pieces[:i] + [b'\n'.join(lines[:5] + lines[6:])] + pieces[i + 1:]))
        copy.ask('note %d without a signature' % i, None)
    copy.write('notes', b'\n'.join(reversed(pieces)))
    copy.ask('notes backwards')
    lines = checkpoint.split(b'\n')
    copy.write('checkpoint', b'\n'.join(lines[:4] + lines[5:]))
    copy.ask('a checkpoint that the log did not sign')
    copy.write('checkpoint', b'\n'.join(lines[:3] + [b'extension'] + lines[3:]))
    copy.ask('a checkpoint with an extension')
    copy.write('checkpoint', checkpoint.replace(b'\n', b'\r\n'))
    copy.ask('a checkpoint with carriage returns')
    copy.write('checkpoint', checkpoint + '\u2014 stranger.example/w AAAAAAA=\n'.encode())
    copy.ask('a stranger\'s signature is passed over', 'intact')


def policies(copy):
    for file in copy.files:
        if file.startswith('policy/'):
            data = copy.read(file)
            copy.write(file, data.split(b'group')[0] + b'quorum none\n')
            copy.ask('a laxer policy')
            for other in copy.files:
                if other.startswith('policy/') and other != file:
                    copy.write(file, copy.read(other))
                    copy.ask('another policy')


def payloads(copy):
    lines = copy.read('payloads').splitlines(keepends=True)
    copy.write('payloads', b''.join(reversed(lines)))
    copy.ask('bodies backwards')
    copy.write('payloads', b''.join(lines[:1] + lines))
    copy.ask('a body twice')
    words = [line.split(b' ') for line in lines]
    opened = [word for word in words if word[1] == b'opened']
    copy.write('payloads', b''.join(b' '.join([a[0], a[1]] + b[2:]) for a, b in zip(opened, opened[1:])))
    copy.ask('bodies of others')
    copy.write('payloads', opened[0][0] + b' erased 6\n')
    copy.ask('said to be erased')
    copy.write('payloads', b'')
    copy.ask('no bodies', 'intact')
    copy.write('payloads', b'99999999999999999999 erased 6\n')
    copy.ask('a number beyond 64 bits')
    copy.write('payloads', b'x\n')
    copy.ask('no bodies but words')


def columns(copy):
    file = 'csv/000.p/%d' % len(copy.entries())
    rows_ = copy.read(file).splitlines(keepends=True)
    copy.write(file, b''.join(rows_[:3] + [rows_[4], rows_[3]] + rows_[5:]))
    report(copy.ask('two rows swapped')['entry'] == 3, 'place of rows swapped')
    copy.write(file, b''.join(rows_[:3] + [rows_[3].replace(b'research', b'nobody')] + rows_[4:]))
    report(copy.ask('another actor in a row')['entry'] == 3, 'place of another actor')
    copy.write(file, b''.join(rows_[:-1]))
    copy.ask('a row less')
    copy.write(file, b''.join(rows_ + rows_[-1:]))
    copy.ask('a row more')


def archived(copy):
    for text in (b'0\n', b'256', b'x\n', b'100\n', b'256\n', b'25600\n', b''):
        copy.write('archived', text)
        copy.ask('archived: %r' % text, None)
    copy.write('archived', b'256\n')
    copy.write('tile/entries/000', None)
    copy.ask('archived with its keys')


def files(policy):
    for name in ('entry.tlog-proof', 'fork'):
        path = os.path.join(SOURCE, name)
        data = open(path, 'rb').read()
        agree(name, [path], policy, must='intact')
        with tempfile.NamedTemporaryFile() as changed:
            def ask(what, bytes_):
                changed.seek(0)
                changed.truncate()
                changed.write(bytes_)
                changed.flush()
                agree('%s: %s' % (name, what), [changed.name], policy, must=None)
            first = data.index(b'\n') + 1
            for at in range(first, len(data), 1 if LONG else 5):
                flipped = bytearray(data)
                flipped[at] ^= 1 << random.randrange(8)
                ask('byte %d' % at, bytes(flipped))
            for at in range(first, len(data), 3 if LONG else 17):
                ask('cut at %d' % at, data[:at])
            ask('longer', data + b'\n')
            lines = data.split(b'\n')
            for at in range(1, len(lines) - 1):
                ask('without line %d' % at, b'\n'.join(lines[:at] + lines[at + 1:]))
                ask('line %d twice' % at, b'\n'.join(lines[:at] + lines[at - 1:]))


def public_key(seed):
    h = bytearray(hashlib.sha512(seed).digest()[:32])
    h[0] &= 248
    h[31] = h[31] & 127 | 64
    return verify.encode_point(verify.times(int.from_bytes(h, 'little'), verify.BASE))


def key(name, kind, seed):
    value = bytes([kind]) + public_key(seed)
    number = verify.sha256(name, b'\n', value)[:4].hex().encode()
    return verify.Key(name + b'+' + number + b'+' + base64.b64encode(value))


def vectors():
    """test/vectors/ledger says what its comments say."""
    values, name = {}, None
    with open(os.path.join(os.path.dirname(__file__), '../vectors/ledger')) as file:
        for line in file.read().splitlines():
            if line[:1] == ' ':
                values[name] += line.strip()
            elif line:
                name = line
                values[name] = ''
    values = {name: bytes.fromhex(value) for name, value in values.items() if name[0] != '#'}
    note = verify.Checkpoint(values['checkpoint'])
    log = key(b'secmed.eu/charite/00112233-4455-6677-8899-aabbccddeeff/1', 1, bytes(32))
    witness = key(b'secmed.eu/site0/cosigner', 4, b'\1' * 32)
    report(note.origin == log.name and note.size == 123456 and note.root == b'\x42' * 32, 'checkpoint')
    report(note.time_of(log) == 0 and note.time_of(witness) == 1700000000, 'signatures')
    history = verify.History()
    report(not history.accept(verify.Entry(values['first'])) and history.accept(verify.Entry(values['rotated'])), 'keys')
    for epoch, span in enumerate(history.logs):
        seed = verify.sha256(b'log small %d' % (epoch + 1))
        report(public_key(seed) == span['key'].public, 'seed of epoch', epoch + 1)
    report(verify.sha256(values['policy']) == history.logs[0]['policy'], 'policy')
    head = verify.Checkpoint(values['head'])
    report(head.root == values['root'] and head.size == 12 and head.time_of(history.logs[1]['key']) == 0, 'head')
    sizes = [verify.Checkpoint(each).size for each in verify.split_notes(values['notes'])]
    report(sizes == [7, 8], 'notes')
    erased = verify.Entry(values['erased'])
    report((erased.kind, erased.counters) == (verify.ERASED, [3, 3]), 'erased')
    report(values['payloads'].count(b'\n') == 4, 'payloads')


def main():
    vectors()
    policy = os.path.join(SOURCE, 'policy')
    paths = [os.path.join(SOURCE, name) for name in ('charite', 'lmu', 'small')]
    agree('all', paths, must='intact')
    agree('all twice', paths + paths[:1], must='intact')
    for path in paths:
        agree(path, [path], must='intact')
    agree('under its policy', paths[:1], policy, must='intact')
    agree('under another\'s policy', paths[1:2], policy)
    agree('nothing', [tempfile.mkdtemp()], must='unreadable')
    small, charite = Copy('small'), Copy('charite')
    flips(small, 1 if LONG else 6, 'violated')
    flips(charite, 150 if LONG else 1500, None)
    for copy in (small, charite):
        cuts(copy, 10 if LONG else 3)
        rows(copy)
        notes(copy)
        policies(copy)
        payloads(copy)
    columns(small)
    archived(charite)
    files(policy)
    print('%d passed, %d failed' % (passed, failed))
    return failed > 0


sys.exit(main())
