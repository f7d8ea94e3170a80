# shellcheck shell=bash disable=SC2034 # say.sh reads it
# The sentences of install-docker-centos.sh in Chinese. messages-engine.en.sh has the same keys with the same fields.
declare -gA MESSAGES
MESSAGES+=(
    [engine_usage]='用法：sudo ./install-docker-centos.sh [--upgrade] [--data-root 目录] [--lang zh|en]

安装离线包自带的 Docker 引擎和 Compose，不需要网络，也不需要包管理器。
  --upgrade        替换以前由本脚本安装的引擎；如果新引擎无法启动，自动恢复旧引擎
  --data-root 目录 镜像和容器的存放目录，默认 /var/lib/docker
返回码：0 完成；2 用法错误；3 文件与发布时不一致；4 另一个安装正在进行；5 拒绝，没有任何改动；
6 失败，没有留下任何东西；7 失败，已恢复旧引擎；8 失败，需要人工处理；1 意外错误。'
    [engine_data_root_value]='--data-root 需要一个绝对路径，不能含引号和反斜杠'
    [engine_left_out]='本离线包省略了引擎，因为已有所依赖版本的主机都有引擎。没有引擎的主机请使用完整的离线包；在制作本包的机器上执行：invoke package --id %s'
    [engine_not_brought]='这里没有引擎的文件。请在解压后的离线包目录中运行；如果离线包没有 engine/ 目录，请重新制作（invoke fetch-engine）。'
    [engine_file_bad]='%s：缺失，或与发布时不一致'
    [engine_files_bad]='文件与发布时不一致，已逐个列在上面；本机没有任何改动。请重新拷贝离线包。'
    [engine_refused]='本机没有任何改动。'
    [engine_podman]='已安装 podman-docker：它的 docker 命令其实是 Podman。请先卸载：yum remove podman-docker'
    [engine_other]='本机已有其他 Docker 引擎：%s。请直接使用它，或先卸载（镜像和容器仍在 /var/lib/docker）。'
    [engine_room]='%s 的空间不够：可用 %s，需要 %s，还差 %s。请清理。'
    [engine_settings]='%s 已存在，其中的目录不是 %s。请手工修改其中的 "data-root"，并去掉 --data-root。'
    [engine_locked]='本脚本的另一次运行正在进行，请等它结束。'
    [engine_other_release]='本机已安装引擎 %s，离线包带的是 %s。要替换请用 --upgrade（容器会短暂停止）。没有任何改动。'
    [engine_unpacking]='正在解压引擎 %s'
    [engine_lacks]='压缩包里缺少 %s'
    [engine_unusable]='离线包里的引擎无法在本机运行，原因见上。本机没有任何改动。'
    [engine_settings_kept]='%s 已存在，保持原样。'
    [engine_program_kept]='%s 是其他程序，保持原样。'
    [engine_runs_already]='引擎 %s 已安装并正在运行。'
    [engine_switching]='正在把引擎 %s 替换为 %s'
    [engine_starting]='正在启动引擎'
    [engine_by_hand]='本机没有 systemd：引擎由手工启动，重启后不会自动运行。日志：%s'
    [engine_failed]='引擎没有启动，最后的日志见上。已安装的内容已全部移除。'
    [engine_failed_again]='引擎没有启动，最后的日志见上。没有可以恢复的旧引擎。请查看：journalctl -u docker'
    [engine_returned]='新引擎没有启动，最后的日志见上。旧引擎 %s 已恢复运行。'
    [engine_not_returned]='新引擎和旧引擎 %s 都无法启动。请查看 journalctl -u docker 和 /etc/docker/daemon.json，然后再运行同样的命令。'
    [engine_done]='引擎 %s 已投入使用：%s。下一步：sudo ./offline-deploy.sh'
)
