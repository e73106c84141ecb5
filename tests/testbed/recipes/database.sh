# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What the roles of databases install, unpacked beforehand for speed: roles find it and change nothing.

export DEBIAN_FRONTEND=noninteractive
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d

apt-get update --quiet
apt-get install --yes --quiet --no-install-recommends postgresql-common
# No cluster: that is for the role to make.
conf=/etc/postgresql-common/createcluster.conf
cp $conf /tmp/createcluster.conf
echo 'create_main_cluster = false' >>$conf
apt-get install --yes --quiet --no-install-recommends \
    postgresql postgresql-contrib pgbackrest pgbouncer python3-psycopg2 python3-cryptography acl openssl
cp /tmp/createcluster.conf $conf
rm -f /tmp/createcluster.conf
apt-get clean

systemctl disable --quiet pgbouncer.service
rm -f /usr/sbin/policy-rc.d
