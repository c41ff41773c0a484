/* SPDX-License-Identifier: MIT */
/*
 * port - see port.h. FatFs works on paths; what is below that (names, entries, chains) is static in ff.c, so ff.c is
 * part of this file. Built with its own warnings off.
 */
#include "ff.c"
#include "ffunicode.c"

#include "third_party/oofatfs/port.h"

#define MARK_FAT 37    /* BS_NTres: bit 0 is set while the volume is in use, as Linux and Windows do */
#define MARK_FAT32 65  /* BS_NTres32 */
#define MARK_EXFAT 106 /* BPB_VolFlagEx: bit 1 */
/* Entries that are passed over before the directory counts as damaged. */
#define DAMAGED_MAX 1000u

static FATFS volume;
static const struct fatfs_disk *disk;
static enum fatfs_class writing;

/* ---- What FatFs asks for ---- */

DRESULT disk_read(void *, BYTE *to, DWORD sector, UINT count)
{
    return disk->read(disk->context, to, sector, count) ? RES_OK : RES_ERROR;
}

static bool is_zero(const BYTE *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

static bool is_table(DWORD sector)
{
    DWORD bitmap = (volume.n_fatent - 2 + 7) / 8;

    if (sector - volume.fatbase < volume.fsize * volume.n_fats)
        return true;
    if (volume.fs_type == FS_EXFAT)
        return sector - volume.bitbase < (bitmap + SS(&volume) - 1) / SS(&volume);
    return volume.fs_type == FS_FAT32 && sector == volume.volbase + 1;
}

/* A sector of a directory that is all zeros belongs to a cluster that the directory does not have yet: one that was
 * used never becomes so again, as entries that are removed stay marked. */
static enum fatfs_class class_of(const BYTE *from, DWORD sector, UINT count)
{
    if (writing == FATFS_MARK)
        return FATFS_MARK;
    if (is_table(sector))
        return FATFS_TABLES;
    return writing == FATFS_ENTRIES && is_zero(from, (size_t)count * SS(&volume)) ? FATFS_BYTES
                                                                                : writing;
}

DRESULT disk_write(void *, const BYTE *from, DWORD sector, UINT count)
{
    return disk->write(disk->context, from, sector, count, class_of(from, sector, count))
               ? RES_OK
               : RES_ERROR;
}

DRESULT disk_ioctl(void *, BYTE command, void *to)
{
    if (command == IOCTL_INIT || command == IOCTL_STATUS)
        *(DSTATUS *)to = 0;
    if (command == GET_SECTOR_SIZE)
        *(WORD *)to = (WORD)disk->sector_bytes;
    return RES_OK; /* what is written when is not FatFs' to say */
}

DWORD get_fattime(void)
{
    return 0; /* times are the service's */
}

/* ---- Results, objects ---- */

static enum fatfs_result result(FRESULT from)
{
    switch (from) {
    case FR_OK: return FATFS_OK;
    case FR_NO_FILE:
    case FR_NO_PATH: return FATFS_NONE;
    case FR_INVALID_NAME: return FATFS_NAME;
    case FR_DENIED: return FATFS_FULL;
    case FR_DISK_ERR:
    case FR_NOT_READY: return FATFS_DEVICE;
    case FR_NO_FILESYSTEM: return FATFS_FOREIGN;
    default: return FATFS_DAMAGED;
    }
}

/* Ends an operation: what the window holds is written under the class of this operation. */
static enum fatfs_result end(FRESULT from)
{
    FRESULT synced = sync_window(&volume);

    return result(from != FR_OK ? from : synced);
}

static void fill(FFOBJID *to, const struct fatfs_object *from)
{
    *to = (FFOBJID){.fs = &volume,
                    .id = volume.id,
                    .attr = from->is_directory ? AM_DIR : 0,
                    .stat = from->in_one_piece ? 2 : 0,
                    .sclust = from->cluster,
                    .objsize = from->size};
    if (from->directory != NULL) {
        to->c_scl = from->directory->cluster;
        to->c_size = ((DWORD)from->directory->size & 0xFFFFFF00) |
                     (from->directory->in_one_piece ? 2u : 0u);
        to->c_ofs = from->first_entry;
    }
}

static void open_directory(DIR *to, const struct fatfs_object *directory)
{
    mem_set(to, 0, sizeof *to);
    fill(&to->obj, directory);
    to->blk_ofs = 0xFFFFFFFF;
}

/* At the entry of an object; for exFAT, where FatFs goes by the first of them, nothing is looked for yet. */
static FRESULT open_entry(DIR *to, const struct fatfs_object *object)
{
    FRESULT res = FR_OK;

    open_directory(to, object->directory);
    if (object->first_entry == FATFS_NO_LONG_NAME)
        res = dir_sdi(to, object->entry);
    to->dptr = object->entry;
    to->blk_ofs = object->first_entry;
    return res;
}

/* Whether what an entry says can be. */
static bool is_sound(const struct fatfs_object *object)
{
    uint64_t cluster_bytes = (uint64_t)volume.csize * SS(&volume);
    bool has_cluster = object->cluster >= 2 && object->cluster < volume.n_fatent;

    if (object->cluster != 0 && !has_cluster)
        return false;
    if ((object->is_directory || object->size != 0) && !has_cluster)
        return false;
    if (object->valid > object->size)
        return false;
    return object->size == 0 || (object->size - 1) / cluster_bytes < volume.n_fatent - 2;
}

static void load_exfat(struct fatfs_object *object)
{
    const BYTE *set = volume.dirbuf;

    object->is_directory = (set[XDIR_Attr] & AM_DIR) != 0;
    object->is_read_only = (set[XDIR_Attr] & AM_RDO) != 0;
    object->in_one_piece = (set[XDIR_GenFlags] & 2) != 0;
    object->cluster = ld_dword(set + XDIR_FstClus);
    object->size = ld_qword(set + XDIR_FileSize);
    object->valid = ld_qword(set + XDIR_ValidFileSize);
    object->created = (struct fatfs_time){ld_dword(set + XDIR_CrtTime), set[XDIR_CrtTime10],
                                          set[XDIR_CrtTZ]};
    object->modified = (struct fatfs_time){ld_dword(set + XDIR_ModTime), set[XDIR_ModTime10],
                                           set[XDIR_ModTZ]};
}

static void load_fat(struct fatfs_object *object, const BYTE *entry)
{
    object->is_directory = (entry[DIR_Attr] & AM_DIR) != 0;
    object->is_read_only = (entry[DIR_Attr] & AM_RDO) != 0;
    object->cluster = ld_clust(&volume, entry);
    object->size = object->is_directory ? 0 : ld_dword(entry + DIR_FileSize);
    object->valid = object->size;
    object->created =
        (struct fatfs_time){.stamp = ld_dword(entry + DIR_CrtTime), .hundredths = entry[DIR_CrtTime10]};
    object->modified = (struct fatfs_time){.stamp = ld_dword(entry + DIR_ModTime)};
}

/* What FatFs has found. */
static void load(struct fatfs_object *object, const DIR *found,
                 const struct fatfs_object *directory)
{
    *object = (struct fatfs_object){
        .directory = directory, .entry = found->dptr, .first_entry = found->blk_ofs};
    if (volume.fs_type == FS_EXFAT)
        load_exfat(object);
    else
        load_fat(object, found->dir);
}

static void store_exfat(const struct fatfs_object *object)
{
    BYTE *set = volume.dirbuf;

    set[XDIR_Attr] = (BYTE)((set[XDIR_Attr] & ~(AM_DIR | AM_RDO)) |
                            (object->is_directory ? AM_DIR : AM_ARC) |
                            (object->is_read_only ? AM_RDO : 0));
    set[XDIR_GenFlags] = object->in_one_piece ? 3 : 1;
    st_dword(set + XDIR_FstClus, object->cluster);
    st_qword(set + XDIR_FileSize, object->size);
    /* A directory is valid as a whole, however it has grown. */
    st_qword(set + XDIR_ValidFileSize, object->is_directory ? object->size : object->valid);
    st_dword(set + XDIR_CrtTime, object->created.stamp);
    set[XDIR_CrtTime10] = object->created.hundredths;
    set[XDIR_CrtTZ] = object->created.offset;
    st_dword(set + XDIR_ModTime, object->modified.stamp);
    set[XDIR_ModTime10] = object->modified.hundredths;
    set[XDIR_ModTZ] = object->modified.offset;
    st_dword(set + XDIR_AccTime, object->modified.stamp);
    set[XDIR_AccTZ] = object->modified.offset;
}

static void store_fat(const struct fatfs_object *object, BYTE *entry)
{
    entry[DIR_Attr] = (BYTE)((entry[DIR_Attr] & ~(AM_DIR | AM_RDO)) |
                             (object->is_directory ? AM_DIR : AM_ARC) |
                             (object->is_read_only ? AM_RDO : 0));
    st_clust(&volume, entry, object->cluster);
    st_dword(entry + DIR_FileSize, (DWORD)object->size);
    st_dword(entry + DIR_CrtTime, object->created.stamp);
    entry[DIR_CrtTime10] = object->created.hundredths;
    st_dword(entry + DIR_ModTime, object->modified.stamp);
    st_word(entry + DIR_LstAccDate, (WORD)(object->modified.stamp >> 16));
    volume.wflag = 1;
}

/* ---- The volume ---- */

enum fatfs_result fatfs_mount(const struct fatfs_disk *of)
{
    FRESULT res;

    mem_set(&volume, 0, sizeof volume);
    disk = of;
    writing = FATFS_BYTES;
    res = f_mount(&volume);
    if (res == FR_OK && volume.volbase != 0)
        res = FR_NO_FILESYSTEM; /* a partition inside of the partition */
    return result(res);
}

enum fatfs_type fatfs_type(void)
{
    return (enum fatfs_type)volume.fs_type;
}

enum fatfs_result fatfs_space(struct fatfs_space *space)
{
    DWORD clusters;
    enum fatfs_result res = end(f_getfree(&volume, &clusters));

    *space = (struct fatfs_space){.cluster_bytes = (uint64_t)volume.csize * SS(&volume),
                                  .clusters = volume.n_fatent - 2,
                                  .free_clusters = clusters};
    return res;
}

static BYTE *mark_place(BYTE *bit)
{
    *bit = volume.fs_type == FS_EXFAT ? 2 : 1;
    return volume.win + (volume.fs_type == FS_EXFAT   ? MARK_EXFAT
                         : volume.fs_type == FS_FAT32 ? MARK_FAT32
                                                      : MARK_FAT);
}

enum fatfs_result fatfs_marked(bool *marked)
{
    FRESULT res = move_window(&volume, 0);
    BYTE bit;

    *marked = res == FR_OK && (*mark_place(&bit) & bit) != 0;
    return result(res);
}

enum fatfs_result fatfs_mark(bool marked)
{
    FRESULT res = move_window(&volume, 0);
    BYTE bit, *place = mark_place(&bit);
    enum fatfs_result done;

    if (res != FR_OK)
        return result(res);
    *place = marked ? *place | bit : *place & (BYTE)~bit;
    volume.wflag = 1;
    writing = FATFS_MARK;
    done = end(res);
    writing = FATFS_BYTES;
    return done;
}

enum fatfs_result fatfs_write_counters(void)
{
    return result(sync_fs(&volume));
}

/* Part of this file, for the same reason as ff.c. */
#include "third_party/oofatfs/port_names.c"
#include "third_party/oofatfs/port_bytes.c"
