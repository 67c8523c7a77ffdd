#!/usr/bin/env bash
# Gets Debian's i386 kernel and a static busybox into .cache/linux, and packs an initramfs:
# vmlinuz, busybox, initramfs.cpio.gz, and the packages' versions. Needs apt-get, dpkg-deb and a
# network; the packages' signatures are checked. Apt works on a state of its own, so the host's stays
# as it is, and no root is needed.
set -euo pipefail
cd "$(dirname "$0")/.."

suite=bookworm
mirror="${HOLDOFF_DEBIAN_MIRROR:-http://deb.debian.org/debian}"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
target=.cache/linux

fail() {
  echo "fetch-linux: $1" >&2
  exit 1
}
for tool in apt-get apt-cache dpkg-deb node; do
  command -v "$tool" >/dev/null || fail "no $tool here; run this on Debian, or copy $target from a machine that has it"
done
[ -r "$keyring" ] || fail "no $keyring; install the package debian-archive-keyring"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/archives/partial"
: >"$work/status"
echo "deb [arch=i386 signed-by=$keyring] $mirror $suite main" >"$work/sources.list"
apt=(
  -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
  -o Dir::State="$work" -o Dir::State::Lists="$work/lists" -o Dir::State::Status="$work/status"
  -o Dir::Cache="$work" -o Dir::Cache::Archives="$work/archives"
  -o APT::Architecture=i386 -o APT::Architectures::=i386 -o APT::Sandbox::User=
  -o APT::Update::Error-Mode=any -o Acquire::Languages=none -o Acquire::Retries=2 -o Acquire::http::Timeout=30
)
if ! apt-get "${apt[@]}" -qq update </dev/null; then
  if [ -f "$target/versions" ]; then
    echo "fetch-linux: cannot read the package lists of $mirror; $target stays as it is" >&2
    exit 0
  fi
  fail "cannot read the package lists of $mirror; check the network"
fi

# linux-image-686 is empty: it depends on the package of the present version.
kernel="$(apt-cache "${apt[@]}" show linux-image-686 | sed -n 's/^Depends: *\(linux-image-[^ ,]*\).*/\1/p' | head -n 1)"
[ -n "$kernel" ] || fail "$suite has no linux-image-686"
version() { apt-cache "${apt[@]}" show "$1" | sed -n 's/^Version: //p' | head -n 1; }
versions="$kernel $(version "$kernel")
busybox-static $(version busybox-static)"

if [ ! -f "$target/vmlinuz" ] || [ "$versions" != "$(cat "$target/versions" 2>/dev/null)" ]; then
  (cd "$work" && apt-get "${apt[@]}" -qq download "$kernel" busybox-static </dev/null) ||
    fail "cannot download $kernel and busybox-static from $mirror"
  mkdir -p "$target"
  rm -f "$target/versions" "$target/initramfs.cpio.gz"
  # The image package is large, mostly modules: one of its files is taken.
  dpkg-deb --fsys-tarfile "$work"/"$kernel"_*.deb |
    tar -x -C "$work" --wildcards './boot/vmlinuz-*'
  dpkg-deb --fsys-tarfile "$work"/busybox-static_*.deb |
    tar -x -C "$work" ./bin/busybox
  cp "$work"/boot/vmlinuz-* "$target/vmlinuz"
  cp "$work/bin/busybox" "$target/busybox"
  chmod 644 "$target"/*
fi
node --import tsx scripts/initramfs.ts scripts/linux-init "$target/busybox" "$target/initramfs.cpio.gz"
echo "$versions" >"$target/versions"
echo "fetch-linux: $target holds" $versions
