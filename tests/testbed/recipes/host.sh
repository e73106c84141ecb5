# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A host as an administrator would find it after its installation: SSH, sudo, systemd, nothing else.
# Runs as root in a container made from the bare tree.

useradd --create-home --shell /bin/bash deploy
printf 'deploy ALL=(ALL) NOPASSWD:ALL\n' >/etc/sudoers.d/deploy
chmod 0440 /etc/sudoers.d/deploy

# Keys come from outside when the host is made; a machine id is made at its first boot.
rm -f /etc/ssh/ssh_host_*
: >/etc/machine-id

cat >/etc/ssh/sshd_config.d/bed.conf <<'CONF'
PasswordAuthentication no
UseDNS no
# Many short connections at once are the normal case here.
MaxStartups 100:30:200
MaxSessions 100
CONF

# What has no meaning in a container, and what would hold the package lock at a bad moment.
systemctl mask --quiet systemd-modules-load.service systemd-remount-fs.service \
    systemd-udevd.service getty@.service console-getty.service getty-static.service \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer
systemctl set-default --quiet multi-user.target
systemctl enable --quiet ssh.service

rm -f /usr/sbin/policy-rc.d
