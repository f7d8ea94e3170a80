#!/bin/sh
# Install the named Debian packages, the locale of $LANG and the time zone of $TZ, and leave no lists behind.
set -eu

export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends "$@" ca-certificates locales tzdata

if [ "${LANG:-C.UTF-8}" != C.UTF-8 ]; then
    sed -i "s/^# *\(${LANG} \)/\1/" /etc/locale.gen
    locale-gen
fi
ln -sf "/usr/share/zoneinfo/${TZ:-UTC}" /etc/localtime
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log /var/log/alternatives.log
