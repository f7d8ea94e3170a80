# shellcheck shell=bash disable=SC2034 # say.sh reads it
# The sentences of restore, drill and rollback with data, in Chinese.
declare -gA MESSAGES
MESSAGES+=(
    [restore_usage]='用法：sudo bash scripts/restore.sh 备份 [--only 名称]... [--yes] [--root 目录] [--lang zh|en]
      sudo bash scripts/restore.sh --forget 时间 [--yes]

把备份中的数据重新投入服务。“备份”是 backups/ 中的名称，或一个目录。数据先在旁边完整恢复并与备份逐项比对，之后服务才停止，只停
改名所需的片刻。被替换的数据改名保留，名称带日期。
  --only 名称     只恢复这一部分（database、redis、uploads、data 等）；可重复
  --forget 时间   删除该时间的恢复所替换下来的数据；status 会列出
  --yes           不再询问
返回码：0 已恢复；2 用法错误；3 备份已损坏；4 他人正在操作；5 与当前版本不符，或空间不足；6 失败，旧数据继续服务；8 失败，需要人工处理；
130 被中断，旧数据继续服务。'
    [drill_usage]='用法：sudo bash scripts/drill.sh [备份] [--root 目录] [--lang zh|en]

演练恢复一个备份（默认最新的）：在应用旁边、不开放端口地恢复，然后丢弃，不影响正在运行的服务。结果写入备份，status 会显示最近一次
成功的时间。
返回码：0 可以恢复；2；3 备份已损坏；4；5 与当前版本不符，或空间不足；6 无法恢复；130。'
    [backup_unnamed]='要用哪个备份？请给出 backups/ 中的名称，或一个目录。'
    [backup_absent]='%s：没有这个备份。现有：'
    [backup_verify]='校验 %s'
    [backup_bad]='%s 与当初制作的备份不一致：共 %s 处，已逐一列在标准输出。没有任何改动。请改用别的备份；如果它是拷贝来的，请重新拷贝。'
    [part_unknown]='%s：备份中没有这一部分。现有：%s'
    [restore_refused]='备份 %s 不能恢复到本机：共 %s 个原因，见上。没有任何改动。'
    [restore_stack]='该备份属于应用 %s，而本机是 %s。'
    [restore_newer]='该备份来自版本 %s，比当前版本 %s 新，当前版本不认识其中的表。请先部署版本 %s，再恢复。'
    [restore_place]='%s：备份中它位于 %s，而版本 %s 没有这个目录。请用 --only 排除它。'
    [restore_mount]='%s 是独立的文件系统，不能改名。请改为挂载它的上级目录，然后重新运行。'
    [restore_family]='%s：备份来自 %s %s，而版本 %s 运行的是 %s，无法读取。'
    [restore_series]='%s：备份来自 %s %s，而版本 %s 运行的是较旧的 %s，无法读取。请先部署带有该版本或更新版本的发布。'
    [restore_mode]='%s：它的服务 %s 在模式 %s 下不运行。请先切换模式，或用 --only 排除它。'
    [restore_room]='%s 空间不足：可用 %s，需要 %s，还缺 %s。status 会列出可以删除的旧数据。'
    [restore_plan]='备份 %s，制作于 %s，版本 %s，将替换 %s 中的：%s
现有数据会改名保留。新数据完整就绪后，使用它的服务会短暂停止。'
    [losses_table]='  %s：现有 %s 行，备份中 %s 行，其后写入的 %s 行将丢失'
    [losses_keys]='  %s，编号 %s：现有 %s 个键，备份中 %s 个'
    [losses_files]='  %s：备份之后有 %s 个文件新增或改动'
    [losses_unknown]='%s：%s 没有应答，无法得知备份之后写入了什么。'
    [step_beside]='在旁边完整恢复备份中的数据'
    [step_exchange]='停止服务并交换数据'
    [step_keep]='确认'
    [step_undo]='放回旧数据'
    [step_drill]='演练恢复'
    [beside_failed]='无法在应用旁边启动 %s；它的输出见上。'
    [beside_unclean]='旁边的 %s 以返回码 %s 结束，它的输出见上；写入的数据可能不完整。'
    [beside_load]='导入 %s：%s'
    [beside_unpack]='解开 %s：%s'
    [beside_not_loaded]='无法导入 %s；原因见上。'
    [beside_rows]='%s 的行数与备份不符（- 备份中，+ 导入后：数据库、表、行数）。'
    [beside_counted]='%s：%s 张表，%s 行，与备份一致'
    [beside_keys]='%s：编号 %s 有 %s 个键，而备份中是 %s 个。'
    [beside_keys_counted]='%s：编号 %s 有 %s 个键，与备份一致'
    [beside_files_differ]='%s 的文件与备份不符（- 备份中，+ 解开后）。'
    [beside_files_compared]='%s：%s 个文件，与备份逐字节一致'
    [beside_unsafe]='%s：归档中有备份不该有的内容，见上。没有解开任何文件。'
    [restore_first_run]='%s（在 %s 中）与恢复的数据库不符，服务之间将无法互认。请一并恢复该目录（不用 --only，或各用一个 --only）。'
    [exchange_half]='一次恢复（%s）在交换数据时被强行终止：先放回旧数据。'
    [exchange_back]='旧数据已放回原处并在服务。'
    [exchange_not_back]='旧数据已在或即将放回原处，但没有在服务。如果 Docker 没有运行，请启动它，然后重新运行。对应关系见 %s。'
    [restored]='备份 %s 已恢复（%s），在 %s 中服务。被替换的数据已保留，status 会列出。'
    [restore_back]='备份 %s 没有恢复：旧数据重新服务。恢复出来的数据已保留在一旁，status 会列出。'
    [restore_not_back]='备份 %s 没有恢复；旧数据已在原处，但没有在服务。对应关系见 %s。请运行 status，按提示处理后再运行任一命令。'
    [nothing_set_aside]='%s：没有该时间保留下来的数据。status 会列出现有的。'
    [forget_plan]='%s 将被永久删除。'
    [forgotten]='%s 保留下来的数据已删除。'
    [drill_part]='  %s：正常，用时 %s 秒'
    [drill_unwritable]='无法写入 %s/manifest.tsv：演练结果没有记入其中。'
    [drilled]='备份 %s 可以恢复：%s已在应用旁边恢复、核对并丢弃。'
    [drill_failed]='备份 %s 无法恢复；原因见上。正在运行的服务未受影响。请重新备份并再次演练。'
    [drill_interrupted]='演练被中断。正在运行的服务未受影响。'
    [rollback_data]='数据也将回到备份 %s，制作于 %s：%s
现有数据会改名保留。其后写入的有：'
    [rollback_no_backup]='版本 %s 在服务期间没有做过备份（查找位置 %s），因此无法放回它的数据。不加 --with-data 时，该版本使用现有数据。'
    [rollback_family]='%s：现有数据属于 %s，而版本 %s 运行的是 %s，无法读取。'
    [rollback_refused]='版本 %s 无法使用现有数据。若要把它当时的数据也放回：加上 --with-data，它会先说明其后写入并将丢失的内容。没有任何改动。'
    [status_exchange]='一次恢复（%s）在交换数据时被强行终止。任何会改动本机的命令都会先放回旧数据；运行 scripts/restart.sh 即可。'
    [status_drilled]='最近一次成功的恢复演练：%s，备份 %s'
    [status_never_drilled]='这里的备份从未演练过恢复：请运行 scripts/drill.sh。'
    [status_set_aside]='%s 保留在一旁的旧数据：%s，位于 %s
不再需要时：scripts/restore.sh --forget %s'
)
