# Sourced by ./run and ./test, in the checkout: sets $python to a Python that is new enough, or ends with status 2.
python=
for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
# The environment's own Python comes first once it is there, so that a changed PATH doesn't make it anew.
if "$root/.venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$("$root/.venv/bin/python" -c 'import os, sys; print(os.path.realpath(sys.executable))')
fi
if [ -z "$python" ]; then
    echo "Bedside needs Python 3.11 or later, and there is none on the PATH; install it and start again." >&2
    exit 2
fi
