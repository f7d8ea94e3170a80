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
    [verify_omitted]='有 %s 个数据块是有意省略的：本机必须已经有它们。'
    [verify_good]='%s 完好：%s 个文件，%s（%s 字节）。'
    [verify_compare]='SHA256SUMS 的 SHA-256，请与制作处 dist/%s.json 中的 "sums_sha256" 核对：
  %s'
)
