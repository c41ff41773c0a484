#!/bin/sh
# SPDX-License-Identifier: MIT
#
# mkiso.sh OUTPUT LIMINE.CONF KERNEL INITRD BOOTX64.EFI LOADER.ELF - the bootable image.
#
# One file that boots as a CD, a disk or a USB stick: on UEFI through the EFI system partition
# inside it, on BIOS through GRUB, which starts the direct boot loader by Multiboot2. The same input
# gives the same bytes: all dates are SOURCE_DATE_EPOCH, all identifiers are fixed.
set -eu

if [ $# -ne 6 ]; then
    echo "usage: $0 OUTPUT LIMINE.CONF KERNEL INITRD BOOTX64.EFI LOADER.ELF" >&2
    exit 2
fi
output=$1 config=$2 kernel=$3 initrd=$4 efi=$5 loader=$6

: "${SOURCE_DATE_EPOCH:=1735689600}"
export SOURCE_DATE_EPOCH TZ=UTC LC_ALL=C MTOOLS_SKIP_CHECK=1
PATH=$PATH:/usr/sbin:/sbin
volume_id=4D4E4F53 # "MNOS"
disk_guid=4d4e4f53-0000-4000-8000-000000000001

# GRUB for BIOS, and its tool, as distributions name them: Debian, Ubuntu, Arch Linux; Fedora; openSUSE.
grub='' grub_mkimage=''
for folder in /usr/lib/grub/i386-pc /usr/lib/grub2/i386-pc /usr/share/grub2/i386-pc; do
    [ -n "$grub" ] || [ ! -e "$folder/cdboot.img" ] || grub=$folder
done
for program in grub-mkimage grub2-mkimage; do
    [ -n "$grub_mkimage" ] || ! command -v "$program" >/dev/null || grub_mkimage=$program
done
if [ -z "$grub" ] || [ -z "$grub_mkimage" ]; then
    echo "mkiso: there is no GRUB for BIOS machines (Debian's packages grub-pc-bin and grub-common)" >&2
    exit 1
fi

work=$(mktemp -d "${output}.XXXXXX")
trap 'rm -rf "$work"' EXIT

# ---- Files ---------------------------------------------------------------------------------------

tree=$work/tree
mkdir -p "$tree/boot/grub" "$tree/EFI/BOOT"
cp "$config" "$tree/boot/limine.conf"
cp "$kernel" "$tree/boot/kernel.elf"
cp "$initrd" "$tree/boot/initrd.tar"
cp "$efi" "$tree/EFI/BOOT/BOOTX64.EFI"

# ---- EFI system partition ------------------------------------------------------------------------

# A FAT of the files and a quarter more, in whole MiB.
size=$(du -k --apparent-size -s "$tree" | cut -f1)
size=$(((size * 5 / 4 + 1024 + 1023) / 1024))
esp=$work/esp.img
truncate -s "${size}M" "$esp"
mkfs.fat --invariant -i "$volume_id" -n MINIMALOS "$esp" >/dev/null
find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
mmd -i "$esp" ::/EFI ::/EFI/BOOT ::/boot
mcopy -m -i "$esp" "$tree/EFI/BOOT/BOOTX64.EFI" ::/EFI/BOOT/
mcopy -m -i "$esp" "$tree/boot/limine.conf" "$tree/boot/kernel.elf" "$tree/boot/initrd.tar" ::/boot/

# ---- BIOS ----------------------------------------------------------------------------------------

# The configuration is inside GRUB's image: no menu, nothing to look for but the volume itself.
cat >"$work/grub.cfg" <<'END'
search --no-floppy --set=root --file /boot/loader.elf
set gfxpayload=1024x768x32,auto
multiboot2 /boot/loader.elf
module2 /boot/limine.conf boot/limine.conf
module2 /boot/kernel.elf boot/kernel.elf
module2 /boot/initrd.tar boot/initrd.tar
boot
END
cp "$loader" "$tree/boot/loader.elf"
"$grub_mkimage" -O i386-pc -d "$grub" -p /boot/grub -c "$work/grub.cfg" -o "$work/core.img" \
    biosdisk iso9660 part_gpt part_msdos search search_fs_file multiboot2 boot all_video vbe
cat "$grub/cdboot.img" "$work/core.img" >"$tree/boot/grub/bios.img"

# ---- Image ---------------------------------------------------------------------------------------

find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S00)
rm -f "$output"
xorriso -report_about SORRY -as mkisofs -o "$output" \
    -R -J -V MINIMALOS --modification-date="$date" --set_all_file_dates "$date" \
    -uid 0 -gid 0 --gpt_disk_guid "$disk_guid" \
    -b boot/grub/bios.img -no-emul-boot -boot-load-size 4 -boot-info-table --grub2-boot-info \
    --grub2-mbr "$grub/boot_hybrid.img" --protective-msdos-label \
    -eltorito-alt-boot -e --interval:appended_partition_2:all:: -no-emul-boot \
    -append_partition 2 0xef "$esp" -appended_part_as_gpt -partition_offset 16 \
    "$tree" 2>"$work/log" || {
    cat "$work/log" >&2
    exit 1
}
