# shellcheck shell=bash disable=SC2034 # say.sh reads it
# The sentences of the scripts that change a host, in Chinese.
declare -gA MESSAGES
MESSAGES+=(
    [deploy_usage]='用法：sudo ./offline-deploy.sh [选项]...

把本离线包部署到本机；若失败，本机保持原样。
  --root 目录     应用所在目录（默认由离线包指定）
  --mode 模式     all 或 single（默认沿用当前模式，否则由离线包指定）
  --yes           不再询问
  --check         只检查本机是否满足要求，不做任何改动
  --accept 编号   即使该项检查不通过也继续，并记入 audit.log；可重复
  --adopt 目录    接管在该目录中手工部署的旧应用
  --no-firewall   不改动 firewalld
  --no-backup     不先备份正在服务的版本；必须与 --yes 同用，并记入 audit.log
  --lang zh|en    语言
  --help          显示本说明
返回码：0 已投入服务；2 用法错误；3 离线包有问题；4 他人正在操作；5 本机不满足要求；6 失败，未影响原有服务；
7 失败，已恢复到前一版本；8 失败，需要人工处理；130 被中断。'
    [option_needs_value]='%s 需要一个值'
    [root_malformed]='%s：应用目录必须是由字母、数字、点、横线、下划线和斜线组成的绝对路径'
    [yes_needed]='没有可供询问的终端：请加上 --yes。'
    [no_backup_unsaid]='--no-backup 必须与 --yes 同时使用：没有备份，数据就无法放回。'
    [plan]='版本 %s，模式 %s，目录 %s。当前版本：%s'
    [plan_question]='确认投入服务？[y/N]'
    [plan_declined]='没有任何改动。'
    [finding_refuse]='不通过 [%s] %s'
    [finding_warn]='警告 [%s] %s'
    [preflight_refused]='本机不满足该版本的要求：共 %s 项不通过，原因和办法见上。没有任何改动。'
    [preflight_good]='本机满足该版本的要求。'
    [locked]='有人正在操作本机：%s，操作者 %s（来自 %s），开始于 %s，进程 %s。请等它结束后再运行。'
    [locked_by_orphan]='一次被强行终止的操作（%s，操作者 %s，来自 %s，开始于 %s）留下的进程仍在运行：%s（进程 %s）。请等它结束后再运行。'
    [step_load]='导入镜像'
    [step_prove]='核对镜像'
    [step_switch]='切换版本'
    [step_up]='启动服务'
    [step_health]='检查服务是否正常'
    [step_record]='记录'
    [step_back]='恢复前一版本'
    [step_stop]='停止服务'
    [load_nothing]='所需镜像本机都已有。'
    [load_start]='需要导入 %s'
    [load_failed]='Docker 没有接受镜像，它的输出见上。如果磁盘已满，请清理后重新运行。'
    [prove_bad]='%s 不是该版本的镜像（%s）'
    [prove_failed]='Docker 中的镜像与制作时不一致。请重启 Docker 后重新运行；若无效，请查看：journalctl -u docker'
    [payload_new]='放置 %s'
    [pf_omitted]='本离线包省略了本机应已具备的内容，但其中 %s 项不在本机（第一项：%s）。请使用完整的离线包，或重新执行部署。'
    [secret_failed]='无法用 /dev/urandom 为 %s 生成随机值。请重新运行。'
    [release_differs]='已有另一个版本也叫 %s，位于 %s。版本号是制作时刻（精确到秒）：请让制作者重新制作。'
    [default_changed]='%s 保持您的内容。本版本为它提供了新的默认内容，放在旁边：%s。默认内容的变化：'
    [hot_carried]='%s：您对 %s 的修改继续生效'
    [hot_drift]='%s：您修改过 %s，而本版本带来了新文件，现以新文件为准。您的修改保存在：%s'
    [hot_deleted]='%s：您删除过 %s，而本版本带来了新文件，现以新文件为准'
    [container_extra]='%s：删除遗留的容器（%s）'
    [container_renamed]='容器 %s 恢复名称 %s'
    [container_stopped]='停止 %s'
    [first_run]='读取 %s（来自 %s）'
    [first_run_absent]='%s：%s 在 %s 秒内没有给出该值。请查看它的日志，以及生成该值的服务的日志。'
    [first_run_file]='%s：无法理解该文件的内容，不能写入 %s。请手工填写后重新运行。'
    [up_failed]='以下服务无法启动：%s。Compose 的输出见上。'
    [health_failed]='%s 不正常：%s'
    [firewall_opened]='防火墙：已开放端口 %s'
    [release_pruned]='版本 %s 不再保留'
    [service_log]='%s 最后的日志（更多见 %s）：'
    [state_unwritable]='%s 无法写入（磁盘已满？）'
    [into_service]='版本 %s 已投入服务（模式 %s）。'
    [unchanged]='在做任何改动之前失败：原有服务不受影响。'
    [unsaved]='没有正在服务的版本的备份，因此未做任何更改，它照常服务。请处理上面指出的问题后重新运行；如不需要备份：--no-backup --yes。'
    [interrupted]='在做任何改动之前被中断：原有服务不受影响。'
    [back_start]='版本 %s 失败：正在恢复版本 %s。'
    [back_done]='版本 %s 失败；版本 %s 已恢复服务。数据没有被改动。'
    [back_failed]='版本 %s 失败，版本 %s 也不正常。新版本可能改动了数据：请查看 %s 中的日志，必要时恢复备份，再重新部署。本脚本没有改动数据。'
    [back_is_same]='当前版本 %s 不正常。请查看上面的日志；scripts/rollback.sh 可以切回前一版本。'
    [first_stopped]='首次部署失败，没有可恢复的版本：应用已停止。数据保留在 %s。'
    [first_not_stopped]='首次部署失败，并且 %s 中的应用无法停止。请查看 docker ps。'
    [rollback_usage]='用法：sudo bash scripts/rollback.sh [--to 版本号] [--with-data] [--yes] [--root 目录] [--lang zh|en]

切回以前的版本：不指定时为前一版本。数据保持不变。
  --with-data     数据也一并放回，取自该版本最新的备份；会先说明其后写入并将丢失的内容
返回码：0 已投入服务；2 没有该版本（可用的版本见标准输出）；3 它的备份已损坏；5 它无法读取现有数据，或没有备份；4、6、7、8 与
offline-deploy.sh 相同。'
    [restart_usage]='用法：sudo bash scripts/restart.sh [--root 目录] [--lang zh|en] [服务]...

依次重启服务（不指定则全部），并等待其正常。
返回码：0 正常；2；4；8 不正常。'
    [uninstall_usage]='用法：sudo bash scripts/uninstall.sh [--yes] [--root 目录] [--lang zh|en]

停止应用并删除其容器。数据、各版本和镜像都保留。
返回码：0、2、4 或 8。'
    [logs_usage]='用法：bash scripts/logs.sh [--follow] [--tail N|all] [--root 目录] [--lang zh|en] [服务]...

显示服务的日志（不指定则全部），默认每个服务最后 100 行。'
    [status_usage]='用法：bash scripts/status.sh [--json] [--root 目录] [--lang zh|en]

显示当前版本、各服务与端口、磁盘、本机改动过的文件以及缺失的镜像。'
    [host_absent]='%s：那里没有应用。请用 --root 指定其目录。'
    [nothing_in_service]='没有版本在服务中。'
    [service_unknown]='%s：没有这个服务。现有：%s'
    [rollback_unknown]='无法切回 %s（当前版本：%s）。可以切回的有：'
    [step_restart]='重启'
    [restart_one]='重启 %s'
    [uninstall_plan]='版本 %s（%s）将停止服务。'
    [uninstalled]='%s 中的应用已停止服务。数据保留在 %s；重新部署即可继续使用。'
    [prove_payload_bad]='%s 与该版本发布时不一致，不能投入服务。请重新部署它的离线包。'
    [status_release]='版本 %s，模式 %s（前一版本：%s），目录 %s'
    [status_at_work]='正在进行：%s %s，步骤 %s，操作者 %s，开始于 %s'
    [status_killed]='有一次操作被强行终止：%s %s，停在步骤 %s。请重新运行同一命令：它会完成或恢复。'
    [status_last]='上次操作：%s %s，时间 %s，结果 %s'
    [status_disk]='%s 所在磁盘：可用 %s，共 %s'
    [status_drift]='%s：%s 在本机被 %s'
    [status_missing]='缺少镜像 %s，版本 %s 需要它。'
    [step_adopt]='接管旧应用'
    [pf_adopt_none]='%s 中的旧应用没有与本应用同名的容器，无可接管。请不带 --adopt 部署。'
    [pf_adopt_same]='旧容器所属的 Compose 项目也叫 %s，Compose 会把它们当作本应用的容器。请先在另一个名称的文件夹中启动旧应用。'
    [pf_adopt_serving]='本应用的版本 %s 已在服务中，不能再接管另一个应用。'
    [pf_adopt_occupied]='%s 中已有文件，无法复制旧数据。请移走它们，或用 --root 指定另一个目录。'
    [pf_adopt_room]='%s 空间不足，放不下旧数据的副本：可用 %s，需要 %s，还差 %s。请用 --root 指定另一个目录。'
    [adopt_stop]='停止旧容器 %s 并移到一旁'
    [adopt_copy]='复制 %s 到 %s（%s）并比对'
    [adopt_differs]='%s 与副本 %s 不一致：期间有程序写入，或磁盘有问题。请重新运行。'
    [adopt_secret]='%s 的旧值含有单引号，无法写入 .env。请先在旧应用中更改它。'
    [adopt_done]='旧容器已停止并保留，名称以 %s 结尾。%s 没有任何改动；不再需要时可一并删除。'
    [adopt_kept]='从旧应用复制来的数据保留在 %s；不再需要时可删除。'
    [adopt_back]='版本 %s 失败；%s 中的旧应用已用其原有数据恢复服务。'
    [adopt_not_back]='版本 %s 失败，旧应用也无法重新启动。它的容器列在 %s：请用 docker rename 改回名称，再用 docker start 启动。'
)
