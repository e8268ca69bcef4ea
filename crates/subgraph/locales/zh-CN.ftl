# 拒绝:键为错误码的小写连字符形式。
unauthenticated = 请先登录。
forbidden = 您没有权限执行此操作。
not-found = 内容不存在。
bad-user-input = 输入有误。
rate-limited = 请求过于频繁,请稍后再试。
service-unavailable = 部分服务暂时不可用,请重试。
internal = 服务出错了。
version-mismatch = 内容已被修改,请重新加载。
idempotency-mismatch = 该幂等键已用于其他输入。

# 登录
refresh-token-invalid = 会话已结束,请重新登录。

# 习惯
too-many-habits = 您已有 { $max } 个习惯。
habit-archived = 该习惯已归档。
last-role = 不能移除最后一位管理员。

# 打卡
already-posted = 这次打卡已经发布过动态。
already-checked-in = 当天已打卡。
future-date = 该日期尚未到来。
outside-makeup-window = { $oldest } 之前的日期不能再补卡。
makeup-quota-spent = 本月的 { $quota } 次补卡机会已用完。
habit-ended = 习惯在该日期之前已结束。
not-due = 该日期无需打卡。
day-closed = 这一天已经结束。
already-done = 已经完成。

# 输入问题:键为 issue- 加错误码的小写连字符形式。
issue-required = 必填。
issue-too-short = 至少 { $min } 个字符。
issue-too-long = 最多 { $max } 个字符。
issue-too-many = 最多 { $max } 项。
issue-out-of-range = 必须在 { $min } 到 { $max } 之间。
issue-invalid-character = 含有不允许的字符。
issue-invalid-date = 必须是存在的日期,格式为 YYYY-MM-DD。
issue-invalid-time = 必须是时间,格式为 HH:MM。
issue-invalid-date-time = 必须是 RFC 3339 格式的时间。
issue-invalid-url = 必须是 http 或 https 地址。
issue-invalid-id = 不是有效的标识。
issue-invalid-cursor = 不是此列表的游标。
issue-invalid-color = 必须是 #RRGGBB 格式的颜色。
issue-duplicate = 重复。
issue-not-found = 不存在。
issue-contradiction = 与其他输入矛盾。
issue-before-start = 早于开始日期。
issue-cycle = 会使习惯关联到自身。
issue-past-date = 已经过去。
wechat-invalid-code = 登录凭证无效。
wechat-code-used = 登录凭证已被使用。
wechat-high-risk-user = 微信拒绝了此次登录。
not-skipped = 这一天没有跳过。
already-skipped = 这一天已经跳过。
already-paused = 那段时间已经暂停。
amount-required = 该目标需要填写数量。
date-out-of-range = 该日期太远。
end-before-start = 结束早于开始。
freeze-limit = 最多持有 { $max } 张冻结卡。
freeze-spent = 冻结卡已被使用。
no-such-date = 您的时区没有这一天。
not-paused = 没有暂停。
too-far-ahead = 不能安排 { $latest } 之后的日期。
too-many-check-ins = 每天最多打卡 { $max } 次。
too-many-pauses = 最多 { $max } 次暂停。
date-in-the-past = 已经过去。
at-most-needs-days = 上限目标需要按日安排,不能按每周或每月次数。

# 某天状态的原因。
day-before-start = 习惯尚未开始。
day-after-end = 习惯已结束。
day-no-such-date = 该时区没有这一天。
day-off-schedule = 按计划这一天无需打卡。
day-period-has-others = 本周期的其他日子已足够。
day-period-complete = 本周期已达标。
day-still-open = 还有时间完成。
day-achieved = 打卡达到了目标。
day-achieved-by-makeup = 已补卡完成。
day-kept-below = 没有超过上限。
day-exceeded = 超过了上限。
day-too-little = 做了一些,但没有达标。
day-nothing-entered = 没有打卡。
day-skip-entered = 这一天被跳过。
day-habit-paused = 习惯处于暂停状态。
day-all-paused = 所有习惯都已暂停。
day-archived = 习惯已归档。
day-freeze-spent = 冻结卡保住了连续记录。

# 规则
duplicate = 重复。
required = 必填。
out-of-range = 必须在 { $min } 到 { $max } 之间。
too-long = 最多 { $max } 个字符。
not-applicable = 不适用于此类型。
too-many-versions = 修改次数过多。
unknown-duration-unit = 必须是分钟或小时。
unknown-time-zone = 必须是时区名称,例如 Asia/Shanghai。
numeric-offset = 必须是时区名称,而不是偏移量。
invalid-cursor = 不是此列表的游标。

# 通知
notification-welcome = 欢迎来到 Daka!创建第一个习惯,今天就开始打卡吧。
notification-post-liked = 有 { $count } 人赞了您的动态。
notification-post-commented = 有人评论了您的动态。
notification-comment-answered = 有人回复了您的评论。
notification-followed = 有人关注了您。
notification-friend-requested = 有人请求加您为好友。
notification-friend-accepted = 您的好友请求已通过。
