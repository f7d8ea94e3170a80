# shellcheck shell=bash disable=SC2034 # say.sh reads it
# The sentences of backup, in Chinese.
declare -gA MESSAGES
MESSAGES+=(
    [backup_usage]='用法：sudo bash scripts/backup.sh [选项]...

在应用照常服务的同时备份其数据，核对后放入 <应用目录>/backups/<时间>/。
  --drill           备份之后演练恢复它
  --keep-last N、--keep-daily N、--keep-weekly N
                    保留多少备份（7、7、4）：最新的若干个，以及最近若干天、若干周中每天、每周最新的一个。设置会被记住
  --schedule 时:分  现在不备份，而是每天在主机的这一时刻备份；off 取消
  --with-secrets    同时备份 .env（含所有密码）
  --root 目录       应用所在目录
  --lang zh|en      语言
返回码：0 备份完好；2 用法错误；4 他人正在操作；5 --drill 空间不足；6 失败，不留下任何像备份的东西，旧备份不受影响；130 被中断。'
    [step_backup]='备份'
    [backup_part]='  %s'
    [backup_again]='  %s：读取期间 %s 被写入，重新读取'
    [backup_folder]='%s 无法写入：所在磁盘是否只读？'
    [backup_room]='%s 空间不足，无法备份：可用 %s，需要 %s（数据的两倍），还差 %s。请清理磁盘，或删除不再需要的备份。'
    [backup_not_in_mode]='%s 不在备份中：它的服务 %s 在模式 %s 下不运行。其文件仍在 %s。'
    [backup_stopped]='%s 无法备份：容器 %s 没有运行。请先启动它（scripts/restart.sh），再重新运行。'
    [backup_family]='%s 无法备份：不认识数据类型“%s”（支持 mysql、mariadb、redis）。'
    [backup_refused]='%s 无法备份：%s 没有正常应答，它的输出见上。如果曾手工更改过密码，请在 .env 中写入同样的密码并重启它。'
    [backup_no_database]='%s 中没有应用的数据库，没有可备份的内容。'
    [backup_engine]='%s 中有不支持快照的表：%s。导出可能只含一半的改动。请转换：ALTER TABLE … ENGINE=InnoDB'
    [backup_migrates]='%s 的表结构正在变更，此时导出会出错：%s。请等它结束后重新运行。（Liquibase 崩溃后会留下锁：请用它的 release-locks 解除。）'
    [backup_migrated]='导出期间 %s 的表被新建、修改或清空，导出的不是同一时刻的数据。请在迁移结束后重新运行。'
    [backup_stream]='%s 没有读写完整，原因见上。'
    [backup_unfinished]='%s 的导出不完整，或无法理解。'
    [backup_bgsave]='%s：%s 中的 Redis 没有生成完好的快照。请查看它的日志：可能磁盘已满或内存不足。'
    [backup_snapshot_bad]='同一镜像的服务器无法读取 %s 的快照，它的输出见上。'
    [backup_name]='%s 中有文件名含制表符、换行或反斜线：%s。请改名后重新运行。'
    [backup_busy]='%s：%s 在读取期间不断被写入。请停止写入它的程序后重新运行。'
    [backup_bad]='写入的内容与读取的不一致：磁盘可能有问题。请查看 dmesg。'
    [backup_made]='备份 %s 位于 %s：%s；%s 行，%s 个表，%s 个文件，用时 %s 秒'
    [backup_next]='%s 还剩 %s：下一次备份可能放不下。'
    [backup_done]='备份 %s 完好。要检验它能否恢复：bash scripts/drill.sh'
    [backup_drilled]='备份 %s 完好，并已演练恢复。'
    [backup_undrilled]='备份 %s 完好，但没有演练恢复。没有删除任何旧备份。'
    [step_prune]='清理旧备份'
    [backup_pruned]='备份 %s 不再保留'
    [backup_damaged]='备份 %s 已损坏，不计入，留给您查看：请自行删除。'
    [backup_unpruned]='备份 %s 完好，但旧备份无法删除，原因见上。'
    [keep_number]='%s 需要一个不超过 9999 的数字，且至少保留最新的备份'
    [schedule_malformed]='--schedule 需要 02:00 这样的时刻，或 off'
    [schedule_is_set]='每天 %s 自动备份（%s）。'
    [schedule_is_off]='不再自动备份。'
    [schedule_nobody]='这台主机上 systemd 和 cron 都没有运行，无法自动备份。请安装 cron，或用这里启动任务的方式运行 scripts/backup.sh。'
    [ago_days]='%s 天前'
    [ago_hours]='%s 小时前'
    [ago_minutes]='%s 分钟前'
    [status_backup]='最近一次完好的备份：%s（%s）'
    [status_no_backup]='最近一次完好的备份：从未有过。请运行：scripts/backup.sh'
    [status_schedule]='每天 %s 自动备份。'
    [status_no_schedule]='没有自动备份：scripts/backup.sh --schedule 02:00'
    [backup_not_due]='没有正在服务的版本，无需先备份。'
    [backup_same]='版本 %s 已在服务，无需先备份。'
    [backup_unwanted]='按 --no-backup 的要求，不先备份版本 %s。如果新版本改动了数据，将无法放回。'
    [backup_taken]='备份 %s 由一次中途被终止的部署在做出任何更改之前生成，沿用它。'
    [backup_failed]='没有生成备份：操作失败，没有留下任何残余。旧备份不受影响，应用照常服务。'
    [backup_interrupted]='没有生成备份：操作被中断，没有留下任何残余。'
)
