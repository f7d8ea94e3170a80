# shellcheck shell=bash disable=SC2034 # say.sh reads it
# Every sentence of the host scripts in Chinese. messages.en.sh has the same keys with the same fields in the same order.
declare -gA MESSAGES # and the values apart: bash 4.2 loses them otherwise
MESSAGES=(
    [warning]='警告：'
    [error]='错误：'
    [unexpected]='%s 以意外的返回码 %s 结束：%s'
    [option_unknown]='%s：没有这个选项'
    [option_value]='--lang 只能是 zh 或 en'
    [argument_extra]='%s：最多指定一个文件夹'
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
    [no_backup_unsaid]='--no-backup 必须与 --yes 同时使用：没有备份，数据就无法放回。'
    [folder_missing]='%s：没有这个文件夹'
    [verify_usage]='用法：bash scripts/verify.sh [--lang zh|en] [文件夹]

校验已解压的离线包：每个文件与 SHA256SUMS 一致，没有多余文件，镜像完整。
不指定文件夹时，校验本脚本所在的离线包。
返回码：0 完好；3 有问题，标准输出逐行列出；2 用法错误；1 意外错误。'
    [verify_start]='正在校验 %s：%s 个文件，%s'
    [verify_unreadable]='%s：文件无法读取'
    [verify_sums_malformed]='SHA256SUMS 的内容不是「<64 位十六进制>  <路径>」，无法校验任何文件'
    [verify_newer]='离线包的格式是 %s，本脚本只支持到格式 %s：请使用制作它的那个版本（或更新版本）里的 scripts/verify.sh。'
    [verify_bad]='这不是制作时的离线包：共 %s 处问题，已逐行列在上面。
请不要部署。请从制作处重新拷贝离线包，解压到新的文件夹，再校验一次；
如果仍有问题，请制作者重新制作。本机没有任何改动。'
    [verify_omitted]='有 %s 个数据块和 %s 个文件是有意省略的：本机必须已经有它们。'
    [verify_since]='这是增量包：只能部署到已有版本 %s 的主机上。'
    [omitted_needs]='本离线包只包含自版本 %s 以来的变化，而在 %s 下没有该版本，或与发布时不一致。本机没有任何改动。
  下一步：先部署该版本，或使用完整的离线包；在制作本包的机器上执行：invoke package --id %s'
    [verify_good]='%s 完好：%s 个文件，%s（%s 字节）。'
    [verify_compare]='SHA256SUMS 的 SHA-256，请与制作处 dist/%s.json 中的 "sums_sha256" 核对：
  %s'
)
