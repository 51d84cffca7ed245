"""The commands that hosts are sent; pure.

Each is a constant POSIX script (dash and busybox will do; `mv -T` is the one thing beyond POSIX)
that takes what varies as arguments. `sent` is the only place where anything is quoted.

On a host, beside `current` and `releases/RELEASE`, a deployment may leave for a while:
`releases/.RELEASE@partial.PID` what is being unpacked or removed; never counts as a release
`releases/.RELEASE@restart`     switched, but not yet restarted
`releases/.RELEASE@check`       restarted, but not yet found healthy
`.current@RELEASE@PID`          the link on its way to its place
Markers are written before the switch and removed after what they stand for, so that whoever comes
after a killed worker knows what is still missing. No release has an `@` in its name.
"""

import re
import shlex
from collections.abc import Mapping
from enum import StrEnum

from rollbacks.platforms.base import PlatformError

# Linux takes 128 KiB in one argument, and the whole command is one for the login shell.
LONGEST = 120_000
_RELEASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,199}")


# Login shells may talk first (a greeting in .bashrc); what counts begins after this line.
BEGIN = b"\nlastgood\n"


class Pending(StrEnum):
    """What a switch still needs, as the markers' names say it."""

    NOTHING = "nothing"
    RESTART = "restart"
    CHECK = "check"


def safe_release(release: str) -> str:
    """The release, fit to be a directory's name; PlatformError otherwise."""
    if not _RELEASE.fullmatch(release):
        raise PlatformError(
            f"{release!r} cannot be the name of a release directory: letters, digits and ._+~- "
            "only. Give the artifact another version.",
            permanent=True,
        )
    return release


def link_to(release: str) -> str:
    """The text of `current` for a release; relative, so that the directory may be moved."""
    return f"releases/{safe_release(release)}"


def sent(script: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """The one line for the login shell; every word is quoted here, once."""
    words = [f"{name}={value}" for name, value in (environment or {}).items()]
    words = [*(["env", *words] if words else []), "sh", "-c", script, "lastgood", *arguments]
    try:
        size = len("".join(words).encode())
    except UnicodeEncodeError:
        raise PlatformError("A value is not valid Unicode.", permanent=True) from None
    if any("\0" in word for word in words):
        raise PlatformError("A value contains a NUL character.", permanent=True)
    if size > LONGEST:
        raise PlatformError(
            f"The command with its variables has {size} bytes; {LONGEST} is the limit.",
            permanent=True,
        )
    return shlex.join(words)


def look(directory: str, release: str, wanted: str) -> str:
    """What is there; `wanted` is the link text of which it says whether it leads anywhere."""
    return sent(_LOOK, directory, release, wanted)


def unpack(directory: str, release: str) -> str:
    """The release directory out of a tar stream (content/…, then complete) on standard input."""
    return sent(_UNPACK, directory, safe_release(release))


def switch(
    directory: str, release: str, text: str, pending: Pending, *, may_dangle: bool = False
) -> str:
    """Point `current` at the text, or remove it where that is empty, with the marker first."""
    dangling = "dangling" if may_dangle else ""
    return sent(_SWITCH, directory, safe_release(release), text, pending.value, dangling)


def restart(
    directory: str,
    release: str,
    command: str,
    after: Pending,
    environment: Mapping[str, str],
    *,
    may_fail: bool = False,
) -> str:
    """The person's restart command, and the marker moved on once it has ended well."""
    tolerance = "may fail" if may_fail else ""
    arguments = (directory, safe_release(release), command, after.value, tolerance)
    return sent(_RESTART, *arguments, environment=environment)


def settle(directory: str, release: str) -> str:
    """Remove everything that only stood there for a while."""
    return sent(_SETTLE, directory, safe_release(release))


def clean(
    directory: str, release: str, *, removes_release: bool, removes_releases: bool, levels: int
) -> str:
    """Remove what the deployment created: its release, and directories that are empty again.

    `levels`: how many directories, from `directory` upwards, were not there before.
    """
    arguments = ("yes" if removes_release else "", "yes" if removes_releases else "", str(levels))
    return sent(_CLEAN, directory, safe_release(release), *arguments)


def script(command: str, working_directory: str, environment: Mapping[str, str]) -> str:
    """A person's command, in a directory (empty: where the login begins)."""
    return sent(_SCRIPT, command, working_directory, environment=environment)


def show(command: str, environment: Mapping[str, str]) -> str:
    """A person's command, whose output counts."""
    return sent(_SHOW, command, environment=environment)


def shown(answer: bytes) -> str:
    """What such a command printed, without what login shells said before."""
    return answer.partition(BEGIN)[2].decode(errors="replace").strip()


_LOOK = r"""
directory=$1 release=$2 wanted=$3
LC_ALL=C; export LC_ALL
missing=
for tool in chmod ln mkdir mv readlink rm rmdir tar; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
levels=0 place=$directory
while [ ! -d "${place:-/}" ]; do levels=$((levels + 1)); place=${place%/*}; done
printf '\nlastgood\nmissing=%s\nlevels=%s\n' "$missing" "$levels"
if [ "$levels" -gt 0 ]; then printf 'link=none\n\n'; exit 0; fi
cd "$directory" || exit 1
there() { if [ -e "$2" ] || [ -L "$2" ]; then printf '%s=yes\n' "$1"; fi; }
[ -d releases ] && echo releases=yes
[ -n "$release" ] && there release "releases/$release"
there restart "releases/.$release@restart"
there check "releases/.$release@check"
for file in "releases/.$release@partial."* ".current@$release@"*; do there litter "$file"; done
if [ -n "$wanted" ] && [ -e "$wanted" ]; then echo wanted=yes; fi
[ -e current ] && echo resolves=yes
if [ -L current ]; then printf 'link=yes\n\n'; readlink current
elif [ -e current ]; then printf 'link=other\n\n'
else printf 'link=none\n\n'; fi
"""

_REMOVE = r"""
remove() {
    for each in "$@"; do
        [ -e "$each" ] || [ -L "$each" ] || continue
        [ -L "$each" ] || chmod -R u+rwX "$each" || return 1
        rm -rf "$each" || return 1
    done
}
"""

_UNPACK = (
    r"""
directory=$1 release=$2
LC_ALL=C; export LC_ALL
umask 022
"""
    + _REMOVE
    + r"""
mkdir -p "$directory/releases" && cd "$directory/releases" || exit 1
[ -d "$release" ] && exit 0
remove ".$release@partial."* || exit 1
partial=".$release@partial.$$"
fail() { cd "$directory/releases" && remove "$partial"; exit 1; }
mkdir "$partial" && cd "$partial" || exit 1
tar -x -o -p -f - || fail
[ -f complete ] || { echo "the upload was cut short" >&2; fail; }
cd .. || exit 1
mv -T "$partial/content" "$release" || [ -d "$release" ] || fail
remove "$partial"
"""
)

_SWITCH = r"""
directory=$1 release=$2 text=$3 pending=$4 dangling=$5
LC_ALL=C; export LC_ALL
umask 022
cd "$directory" || exit 1
if [ -e current ] && [ ! -L current ]; then
    echo "$directory/current is not a symbolic link" >&2; exit 1
fi
if [ -n "$text" ] && [ -z "$dangling" ] && [ ! -e "$text" ]; then
    echo "$directory/$text is not there" >&2; exit 1
fi
[ -d releases ] || mkdir releases || exit 1
marker="releases/.$release@"
case $pending in
restart) : >"${marker}restart" && rm -f "${marker}check" || exit 1 ;;
check) : >"${marker}check" && rm -f "${marker}restart" || exit 1 ;;
*) rm -f "${marker}restart" "${marker}check" || exit 1 ;;
esac
if [ -z "$text" ]; then rm -f current; exit; fi
link=".current@$release@$$"
ln -s -- "$text" "$link" && mv -f -T "$link" current
"""

_RESTART = r"""
directory=$1 release=$2 command=$3 after=$4 tolerance=$5
cd "$directory" || exit 1
sh -c "$command"
status=$?
if [ "$status" -ne 0 ]; then
    [ -n "$tolerance" ] || exit "$status"
    echo "ended with $status, which may be: nothing is left to run" >&2
fi
marker="releases/.$release@"
if [ "$after" = check ]; then : >"${marker}check" || exit 1; fi
rm -f "${marker}restart"
"""

_SETTLE = (
    r"""
directory=$1 release=$2
LC_ALL=C; export LC_ALL
"""
    + _REMOVE
    + r"""
cd "$directory" || exit 1
rm -f ".current@$release@"* && remove "releases/.$release@partial."* &&
    rm -f "releases/.$release@restart" "releases/.$release@check"
"""
)

_CLEAN = (
    r"""
directory=$1 release=$2 removes_release=$3 removes_releases=$4 levels=$5
LC_ALL=C; export LC_ALL
"""
    + _REMOVE
    + r"""
cd "$directory" || exit 1
if [ -n "$removes_release" ] && [ -d "releases/$release" ]; then
    if [ "$(readlink current)" = "releases/$release" ]; then
        echo "current still points at $release" >&2; exit 1
    fi
    mv -T "releases/$release" "releases/.$release@partial.$$" || exit 1
fi
rm -f ".current@$release@"* && remove "releases/.$release@partial."* &&
    rm -f "releases/.$release@restart" "releases/.$release@check" || exit 1
[ -z "$removes_releases" ] || rmdir releases 2>/dev/null
cd / || exit 1
place=$directory
while [ "$levels" -gt 0 ] && rmdir "$place" 2>/dev/null; do
    levels=$((levels - 1)); place=${place%/*}
done
exit 0
"""
)

_SCRIPT = r"""
if [ -n "$2" ]; then cd "$2" || exit 1; fi
exec sh -c "$1"
"""

_SHOW = r"""
printf '\nlastgood\n'
exec sh -c "$1"
"""
