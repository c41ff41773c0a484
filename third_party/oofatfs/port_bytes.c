/* SPDX-License-Identifier: MIT */
/* port_bytes - chains of clusters, and bytes of files: a part of port.c. */

enum fatfs_result fatfs_free(const struct fatfs_object *object)
{
    FFOBJID chain;

    if (object->cluster == 0)
        return FATFS_OK;
    fill(&chain, object);
    return end(remove_chain(&chain, object->cluster, 0));
}

static void open_bytes(FIL *to, const struct fatfs_object *object, BYTE flag)
{
    mem_set(to, 0, sizeof *to);
    fill(&to->obj, object);
    to->flag = flag;
    to->fptr = object->at;
    to->clust = object->at_cluster;
}

static void keep_place(struct fatfs_object *object, const FIL *from)
{
    object->at = from->err == 0 ? from->fptr : 0;
    object->at_cluster = from->clust;
}

enum fatfs_result fatfs_read(struct fatfs_object *object, uint64_t offset, void *to,
                             uint32_t length, uint32_t *count)
{
    FRESULT res;
    UINT done = 0;
    FIL file;

    open_bytes(&file, object, FA_READ);
    res = f_lseek(&file, offset);
    if (res == FR_OK)
        res = f_read(&file, to, length, &done);
    keep_place(object, &file);
    *count = done;
    return end(res);
}

/* Whatever FatFs keeps in memory of a chain that is not in one piece any more is written to the tables. */
static FRESULT settle(FIL *file)
{
    FRESULT res = FR_OK;

    if (volume.fs_type != FS_EXFAT)
        return FR_OK;
    res = fill_first_frag(&file->obj);
    return res != FR_OK ? res : fill_last_frag(&file->obj, file->clust, 0xFFFFFFFF);
}

enum fatfs_result fatfs_write(struct fatfs_object *object, uint64_t offset, const void *from,
                              uint32_t length, uint32_t *count)
{
    FRESULT res, settled;
    UINT done = 0;
    FIL file;

    writing = FATFS_BYTES;
    open_bytes(&file, object, FA_READ); /* seeking makes no chain longer */
    res = f_lseek(&file, offset);
    file.flag |= FA_WRITE;
    if (res == FR_OK)
        res = f_write(&file, from, length, &done);
    settled = settle(&file);
    object->cluster = file.obj.sclust;
    object->in_one_piece = (file.obj.stat & 2) != 0 && file.obj.sclust != 0;
    object->size = file.obj.objsize;
    if (offset + done > object->valid)
        object->valid = offset + done;
    keep_place(object, &file);
    *count = done;
    return end(res != FR_OK ? res : settled);
}

enum fatfs_result fatfs_cut(struct fatfs_object *object, uint64_t old_size)
{
    FRESULT res;
    FIL file;

    open_bytes(&file, object, FA_READ | FA_WRITE);
    file.fptr = 0; /* what was used last may be behind the new end */
    file.obj.objsize = old_size;
    res = f_lseek(&file, object->size);
    if (res == FR_OK)
        res = f_truncate(&file);
    object->in_one_piece = (file.obj.stat & 2) != 0;
    object->at = 0;
    return end(res);
}
