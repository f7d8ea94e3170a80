# shellcheck shell=bash disable=SC2034 # say.sh reads it
# hot-update.sh 的中文语句。
declare -gA MESSAGES
MESSAGES+=(
    [hot_usage]='用法：sudo bash scripts/hot-update.sh [选项]... [文件]...

让本机上改过的热更新模块生效：全部，或者只是所给文件所属的服务。每个 Python 文件先用运行它的镜像自带的 Python 编译；
然后重启服务并询问它们。哪个服务不正常，就换回它原来能正常工作的文件。
  --from 目录     让该目录里的文件生效，路径与离线包里相同（plugins_func/functions/x.py）
  --list          只在标准输出列出所有热更新模块：服务、路径、当前文件的 sha256、服务能正常工作的版本的 sha256
  --root 目录     应用的文件夹
  --lang zh|en    语言
退出码：0（已生效，或没有差别）、2（没有这个模块）、4（别人正在操作）、5（出错时无法换回）、
6（有文件编译不过；没有重启任何服务）、7（已换回，原来的文件在运行）、8（需要人工处理）、130（被中断）。'
    [hot_unknown]='%s：没有这个名字的热更新模块。最接近的是：%s'
    [hot_no_proof]='没有 %s：这次部署是旧版工具做的，没有保留服务能正常工作的文件。请重新部署离线包，然后再运行。'
    [hot_nothing]='与服务正在使用的文件没有差别。'
    [hot_change]='%s：%s 有改动（%s，行数 %s）'
    [hot_syntax]='%s，第 %s 行：%s'
    [hot_on_disk]='它已经在 %s，服务下次启动就会读它。服务能正常工作的版本：%s'
    [hot_not_compiled]='以上文件编译不过。没有重启任何服务；请改好后再运行。'
    [hot_no_python]='%s 无法用 %s 编译这些文件；它的话在上面。'
    [hot_moving]='%s 在操作过程中被人改了。请再运行一次。'
    [hot_kept_edited]='%s：%s 在本机上改过而没有验证过；那份改动保存在：%s'
    [hot_kept_former]='%s：原来的 %s 保存在：%s'
    [hot_kept_rejected]='%s：%s 不再生效；它保存在：%s'
    [hot_words]='%s 最后的日志：'
    [hot_done]='已生效并验证：%s 个文件。重启了：%s'
    [hot_back]='有服务用新文件不能正常工作（日志在上面）：原来的文件已重新运行。新文件保存在 %s；在那里改好，再用 --from 给出该目录，或重新修改。'
    [hot_not_back]='有服务用新文件不能正常工作，换回原来的文件（保存在 %s）也不行。请看上面的日志和 status，解决它们指出的问题，再运行一次。'
    [step_compile]='编译改动的文件'
    [step_replace]='把文件放到位'
    [step_proved]='记为服务能正常工作的文件'
    [step_former]='换回原来的文件'
    [status_hot]='有一次热更新被中断，这些服务运行的文件可能与磁盘上的不同：%s。scripts/hot-update.sh 会把它做完。'
)
