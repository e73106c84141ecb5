# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What the roles install, unpacked beforehand for speed: roles find it and change nothing.

export DEBIAN_FRONTEND=noninteractive
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d

apt-get update --quiet
# The client is a package of its own in Debian 13 and part of docker.io in Debian 12.
client=$(apt-cache show docker-cli >/dev/null 2>&1 && echo docker-cli || true)
apt-get install --yes --quiet --no-install-recommends \
    docker.io $client python3-docker python3-requests python3-cryptography openssl \
    nginx libnginx-mod-http-lua lua-resty-core lua-cjson
apt-get clean

# Nginx is the edge's alone; its role starts it.
systemctl disable --quiet nginx.service
rm -f /usr/sbin/policy-rc.d
