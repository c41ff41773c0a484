/* SPDX-License-Identifier: MIT */
/* port_names - names and entries of directories: a part of port.c. */

struct fatfs_object fatfs_root(void)
{
    return (struct fatfs_object){.is_directory = true, .first_entry = FATFS_NO_LONG_NAME};
}

/* Makes a name FatFs' own. It ends at a backslash or control character, and is cut behind dots and blanks, so that
 * two texts would name one file: such names are refused. */
static FRESULT take_name(DIR *to, const char *name)
{
    size_t length = 0;

    for (; name[length] != 0; length++) {
        if ((BYTE)name[length] < ' ' || name[length] == '\\' || name[length] == '/')
            return FR_INVALID_NAME;
    }
    if (length == 0 || length > FATFS_NAME_BYTES || name[length - 1] == '.' ||
        name[length - 1] == ' ')
        return FR_INVALID_NAME;
    return create_name(to, &name);
}

/* The next file or directory from where the directory stands. FatFs ends at an entry of exFAT that is damaged, so
 * that whatever is behind it could not be reached; here it is passed over, a bounded number of times. */
static FRESULT read_entry(DIR *at)
{
    FRESULT res = FR_INT_ERR;

    for (unsigned i = 0; i < DAMAGED_MAX; i++) {
        DWORD next;

        at->blk_ofs = 0xFFFFFFFF;
        res = dir_read(at, 0);
        if (res != FR_INT_ERR || volume.fs_type != FS_EXFAT || at->blk_ofs == 0xFFFFFFFF)
            return res;
        next = at->blk_ofs + SZDIRE;
        res = dir_sdi(at, next);
        if (res != FR_OK)
            return res == FR_INT_ERR ? FR_NO_FILE : res; /* the directory ends there */
    }
    return res;
}

/* Whether the set of entries in FatFs' buffer has the name in its other buffer; as in dir_find(). */
static bool has_name(WORD hash)
{
    const BYTE *set = volume.dirbuf;
    UINT at = SZDIRE * 2, i;

    if (ld_word(set + XDIR_NameHash) != hash)
        return false;
    for (i = 0; i < set[XDIR_NumName]; i++, at += 2) {
        if (at % SZDIRE == 0)
            at += 2;
        if (ff_wtoupper(ld_word(set + at)) != ff_wtoupper(volume.lfnbuf[i]))
            return false;
    }
    return volume.lfnbuf[i] == 0;
}

static FRESULT find_set(DIR *at)
{
    WORD hash = xname_sum(volume.lfnbuf);
    FRESULT res = dir_sdi(at, 0);

    while (res == FR_OK) {
        res = read_entry(at);
        if (res == FR_OK && has_name(hash))
            break;
    }
    return res;
}

enum fatfs_result fatfs_find(const struct fatfs_object *directory, const char *name,
                             struct fatfs_object *object)
{
    FRESULT res;
    DIR dj;

    writing = FATFS_ENTRIES;
    open_directory(&dj, directory);
    res = take_name(&dj, name);
    if (res == FR_OK)
        res = volume.fs_type == FS_EXFAT ? find_set(&dj) : dir_find(&dj);
    if (res != FR_OK)
        return result(res);
    load(object, &dj, directory);
    return is_sound(object) ? FATFS_OK : FATFS_DAMAGED;
}

enum fatfs_result fatfs_list(const struct fatfs_object *directory, uint32_t from, fatfs_emit *emit,
                             void *context)
{
    struct fatfs_object object;
    FILINFO info;
    FRESULT res;
    DIR dj;

    writing = FATFS_ENTRIES;
    open_directory(&dj, directory);
    res = dir_sdi(&dj, from);
    if (res == FR_INT_ERR && from != 0)
        return FATFS_NONE; /* the directory ends there */
    while (res == FR_OK) {
        res = read_entry(&dj);
        if (res != FR_OK)
            break;
        load(&object, &dj, directory);
        get_fileinfo(&dj, &info);
        /* What has no name that can be said is not listed: a question mark is in no name. */
        if (info.fname[0] != '?' && !emit(context, info.fname, &object, dj.dptr + SZDIRE))
            return FATFS_OK;
        res = dir_next(&dj, 0);
    }
    return result(res);
}

/* An entry under a new name, which FatFs has in its buffer. The directory of exFAT may have grown. */
static FRESULT register_name(DIR *to, struct fatfs_object *directory)
{
    FRESULT res = dir_register(to);
    UINT length = 0;

    if (volume.fs_type == FS_EXFAT && to->obj.sclust != 0) {
        directory->size = to->obj.objsize;
        directory->in_one_piece = (to->obj.stat & 2) != 0;
    }
    if (res != FR_OK || volume.fs_type == FS_EXFAT)
        return res;
    while (volume.lfnbuf[length] != 0)
        length++;
    to->blk_ofs = to->fn[NSFLAG] & NS_LFN ? to->dptr - (length + 12) / 13 * SZDIRE : 0xFFFFFFFF;
    return res;
}

/* What an entry that was registered says; the object gets its place. */
static FRESULT write_entry(DIR *at, struct fatfs_object *object)
{
    if (volume.fs_type != FS_EXFAT) {
        store_fat(object, at->dir);
    } else {
        FRESULT res;

        store_exfat(object);
        res = store_xdir(at);
        if (res != FR_OK)
            return res;
    }
    object->entry = at->dptr;
    object->first_entry = at->blk_ofs;
    return FR_OK;
}

static void write_dots(const struct fatfs_object *object)
{
    BYTE *dots = volume.win;

    mem_set(dots, ' ', 11);
    dots[DIR_Name] = '.';
    dots[DIR_Attr] = AM_DIR;
    st_dword(dots + DIR_CrtTime, object->created.stamp);
    dots[DIR_CrtTime10] = object->created.hundredths;
    st_dword(dots + DIR_ModTime, object->modified.stamp);
    st_word(dots + DIR_LstAccDate, (WORD)(object->modified.stamp >> 16));
    st_clust(&volume, dots, object->cluster);
    mem_cpy(dots + SZDIRE, dots, SZDIRE);
    dots[SZDIRE + 1] = '.';
    st_clust(&volume, dots + SZDIRE, object->directory->cluster);
    volume.wflag = 1;
}

/* The first cluster of a new directory, which is written before anything leads to it. */
static FRESULT make_directory(struct fatfs_object *object)
{
    FFOBJID chain = {.fs = &volume, .id = volume.id};
    DWORD cluster = create_chain(&chain, 0);
    FRESULT res;

    if (cluster < 2 || cluster == 0xFFFFFFFF)
        return cluster == 0 ? FR_DENIED : cluster == 1 ? FR_INT_ERR : FR_DISK_ERR;
    object->cluster = cluster;
    writing = FATFS_BYTES;
    res = dir_clear(&volume, cluster);
    if (res == FR_OK && volume.fs_type != FS_EXFAT)
        write_dots(object);
    if (volume.fs_type == FS_EXFAT) {
        object->size = object->valid = (uint64_t)volume.csize * SS(&volume);
        object->in_one_piece = true;
    }
    if (res == FR_OK)
        res = sync_window(&volume);
    writing = FATFS_ENTRIES;
    return res;
}

struct fatfs_time fatfs_modified(struct fatfs_time time)
{
    return volume.fs_type == FS_EXFAT ? time : (struct fatfs_time){.stamp = time.stamp};
}

enum fatfs_result fatfs_create(struct fatfs_object *directory, const char *name, bool is_directory,
                               struct fatfs_time now, struct fatfs_object *object)
{
    FRESULT res;
    DIR dj;

    *object = (struct fatfs_object){.directory = directory,
                                    .created = now,
                                    .modified = fatfs_modified(now),
                                    .is_directory = is_directory};
    writing = FATFS_ENTRIES;
    open_directory(&dj, directory);
    res = take_name(&dj, name);
    if (res == FR_OK && is_directory)
        res = make_directory(object);
    if (res == FR_OK) {
        res = register_name(&dj, directory);
        if (res == FR_OK)
            res = write_entry(&dj, object);
        if (res != FR_OK && object->cluster != 0)
            (void)fatfs_free(object);
    }
    return end(res);
}

enum fatfs_result fatfs_copy_entry(const struct fatfs_object *object,
                                   struct fatfs_object *directory, const char *name,
                                   struct fatfs_object *as)
{
    FRESULT res;
    DIR dj;

    *as = *object;
    as->directory = directory;
    writing = FATFS_ENTRIES;
    open_directory(&dj, directory);
    res = take_name(&dj, name);
    if (res == FR_OK)
        res = register_name(&dj, directory);
    if (res == FR_OK)
        res = write_entry(&dj, as);
    return end(res);
}

enum fatfs_result fatfs_set_parent(const struct fatfs_object *object)
{
    FRESULT res;

    if (volume.fs_type == FS_EXFAT)
        return FATFS_OK; /* it has no such note */
    writing = FATFS_ENTRIES;
    res = move_window(&volume, clst2sect(&volume, object->cluster));
    if (res == FR_OK && volume.win[SZDIRE] == '.' && volume.win[SZDIRE + 1] == '.') {
        st_clust(&volume, volume.win + SZDIRE, object->directory->cluster);
        volume.wflag = 1;
    }
    return end(res);
}

enum fatfs_result fatfs_update(const struct fatfs_object *object)
{
    FRESULT res;
    DIR dj;

    writing = FATFS_ENTRIES;
    if (volume.fs_type == FS_EXFAT) {
        FFOBJID id;

        fill(&id, object);
        mem_set(&dj, 0, sizeof dj);
        res = load_obj_xdir(&dj, &id);
        if (res == FR_OK) {
            store_exfat(object);
            res = store_xdir(&dj);
        }
        return end(res);
    }
    open_directory(&dj, object->directory);
    res = dir_sdi(&dj, object->entry);
    if (res == FR_OK)
        res = move_window(&volume, dj.sect);
    if (res == FR_OK)
        store_fat(object, dj.dir);
    return end(res);
}

enum fatfs_result fatfs_remove_entry(const struct fatfs_object *object)
{
    FRESULT res;
    DIR dj;

    writing = FATFS_ENTRIES;
    res = open_entry(&dj, object);
    if (res == FR_OK)
        res = dir_remove(&dj);
    return end(res);
}
