#!/bin/sh
# Prepares .venv when something has changed: `deploy/setup.sh run`, or `test` with all that the tests need.
# Says what it does in a line each, and where it cannot go on, the one command that helps.
set -eu
cd "$(dirname "$0")/.."
kind=${1:-run}
venv=.venv

say() { printf '%s\n' "$*"; }
fail() { printf 'callfloor: %s\n' "$*" >&2; exit 1; }

# What .venv was made from: moved or changed, and it is made again.
seal() {
    pwd
    cat deploy/setup.sh deploy/uplot.py pyproject.toml "$1"
}
sealed() { [ -x $venv/bin/callfloor ] && seal "$1" | cmp -s - "$venv/sealed-$2" && $venv/bin/python -c ''; }

# Runs a command as root, if this is root or somebody who may become it without a password.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
    else
        return 1
    fi
}

# From Debian, with its lists fetched anew only if it cannot be done without.
install_debian() {
    command="apt-get install --no-install-recommends $*"
    command -v apt-get >/dev/null || fail "$* missing here; on Debian this installs it: $command"
    as_root true || fail "$* missing here; this installs it: sudo $command"
    say "installing $* from Debian"
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    if as_root apt-get install -y --no-install-recommends "$@" </dev/null >"$log" 2>&1 ||
        { as_root apt-get update </dev/null >"$log" 2>&1 &&
            as_root apt-get install -y --no-install-recommends "$@" </dev/null >"$log" 2>&1; }; then
        rm -f "$log"
    else
        tail -n 15 "$log" >&2
        rm -f "$log"
        fail "$* could not be installed; see above, and try: sudo $command"
    fi
}

# The first Python that is new enough. PYTHON=... chooses another.
find_python() {
    names=${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}
    for name in $names; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$name"
            return
        fi
    done
    fail "Python 3.11 or newer is needed, and $names is not that; name one: make PYTHON=/path/to/python3.12 ..."
}

venv_works() {
    [ "$(cat $venv/stands-in 2>/dev/null)" = "$(pwd)" ] && $venv/bin/python -m pip --version >/dev/null 2>&1
}

# The Debian packages that are missing here, a line each.
missing() {
    sealed $requirements "$kind" || venv_works || "$python" -c 'import ensurepip, venv' 2>/dev/null || "$python" -c 'import sys
debian = sys.executable == "/usr/bin/python3"
print("python3-venv" if debian else "python%d.%d-venv" % sys.version_info[:2])'
    [ "$kind" = run ] && return
    command -v mosquitto >/dev/null || command -v /usr/sbin/mosquitto >/dev/null || echo mosquitto
    command -v chromium >/dev/null || echo chromium
    command -v openssl >/dev/null || echo openssl
    command -v curl >/dev/null || echo curl
    command -v faketime >/dev/null || echo faketime
    # A foreign board at a port: tests/test_foreign.py.
    command -v qemu-system-arm >/dev/null || echo qemu-system-arm
    [ -e /usr/share/firmware-microbit-micropython/firmware.hex ] || echo firmware-microbit-micropython
    # The letters of walls, which the tests compare pixel by pixel: docs/type.md.
    [ -e /usr/share/fonts/X11/misc/6x13.pcf.gz ] || echo xfonts-base
    [ -e /usr/share/fonts/truetype/noto/NotoSansArabic-Regular.ttf ] || echo fonts-noto-core
    [ -e /usr/share/fonts/opentype/unifont/unifont.otf ] || echo fonts-unifont
    # Playwright's driver needs it, and Chromium does not bring it.
    ldconfig -p | grep -q 'libatomic\.so\.1 ' || /sbin/ldconfig -p | grep -q 'libatomic\.so\.1 ' || echo libatomic1
}

make_venv() {
    say "making .venv with $("$python" --version)"
    rm -rf $venv
    "$python" -m venv $venv || fail "$python cannot make a virtual environment; see above"
    pwd >$venv/stands-in
}

# pip's own words go to a file; one line here says how far it is.
install_python() {
    count=$(grep -c '^[a-z]' "$1")
    log=$venv/install.log
    say "installing $count Python packages ($1)"
    status=0
    $venv/bin/python -m pip install --disable-pip-version-check --no-input --progress-bar off --no-compile \
        --require-hashes -r "$1" >$log 2>&1 &
    pip=$!
    trap 'kill $pip 2>/dev/null; exit 130' INT TERM
    while [ -t 1 ] && kill -0 $pip 2>/dev/null; do
        printf '\r  %d of %d ' "$(grep -c -e '^Collecting' -e '^Requirement already' $log || true)" "$count"
        sleep 0.5
    done
    wait $pip || status=$?
    trap - INT TERM
    [ ! -t 1 ] || printf '\r               \r'
    if [ $status = 0 ]; then
        $venv/bin/python -m pip install --disable-pip-version-check --no-input --quiet \
            --no-build-isolation --no-deps -e . >>$log 2>&1 || status=$?
    fi
    if [ $status != 0 ]; then
        grep -v '^\(Collecting\|  Using cached\|  Downloading\)' $log | tail -n 15 >&2
        fail "the Python packages could not be installed (all of it: $log); is the package index within reach?"
    fi
}

case $kind in
run) requirements="requirements.txt" ;;
test) requirements="requirements-dev.txt" ;;
*) fail "deploy/setup.sh run or deploy/setup.sh test, not '$kind'" ;;
esac

python=$(find_python)
# shellcheck disable=SC2046 # a word is a package
set -- $(missing)
[ $# = 0 ] || install_debian "$@"
! sealed $requirements "$kind" || exit 0

started=$(date +%s)
venv_works || make_venv
rm -f $venv/sealed-*
install_python $requirements
$venv/bin/python deploy/uplot.py || true # without it the page has tables
seal requirements.txt >$venv/sealed-run
seal $requirements >"$venv/sealed-$kind"
say "ready after $(($(date +%s) - started)) s"
