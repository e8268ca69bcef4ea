//! What the demo's people are called, and what they write.

/// Given names and nicknames of people who use the app in Chinese.
pub(super) const CHINESE: [&str; 32] = [
    "小雨",
    "阿明",
    "子涵",
    "晨曦",
    "老王",
    "一诺",
    "橘子汽水",
    "梓轩",
    "夏天的风",
    "小满",
    "浩然",
    "欣怡",
    "阿泽",
    "奶茶三分糖",
    "若曦",
    "大鹏",
    "思远",
    "桃桃",
    "山野",
    "静静",
    "码农小李",
    "木子",
    "星河",
    "嘉怡",
    "早起的鸟",
    "北海",
    "可乐",
    "云朵",
    "长安",
    "十一",
    "小鹿",
    "南风",
];
/// Given names of people who use the app in English.
pub(super) const ENGLISH: [&str; 24] = [
    "Alice", "Ben", "Chloe", "Daniel", "Emma", "Felix", "Grace", "Hugo", "Isla", "Jack", "Kira", "Leo",
    "Maya", "Noah", "Olivia", "Priya", "Quinn", "Rosa", "Sam", "Tara", "Uma", "Victor", "Wendy", "Zoe",
];
/// Zones with how many people of a hundred live there: mostly China, some with clocks that change.
pub(super) const ZONES: [(&str, u32); 10] = [
    ("Asia/Shanghai", 72),
    ("Asia/Urumqi", 3),
    ("Asia/Hong_Kong", 5),
    ("Asia/Tokyo", 3),
    ("Asia/Singapore", 3),
    ("Europe/Berlin", 3),
    ("Europe/London", 3),
    ("America/New_York", 4),
    ("America/Los_Angeles", 3),
    ("Australia/Sydney", 1),
];
/// Words about oneself.
pub(super) const BIOS: [[&str; 4]; 2] = [
    [
        "Small steps, every day.",
        "Learning to run.",
        "Books and coffee.",
        "Trying again, a little better.",
    ],
    [
        "每天进步一点点。",
        "在学着早起。",
        "书和咖啡。",
        "慢慢来，比较快。",
    ],
];
/// What people write where it went well.
pub(super) const GLAD: [[&str; 5]; 2] = [
    [
        "Felt great today.",
        "Easier than yesterday.",
        "Finally getting the hang of it.",
        "Good focus.",
        "Done before breakfast!",
    ],
    [
        "今天状态很好。",
        "比昨天轻松。",
        "渐入佳境。",
        "很专注。",
        "早饭前就完成了！",
    ],
];
/// What people write where it did not.
pub(super) const TIRED: [[&str; 5]; 2] = [
    [
        "Tired, but done.",
        "Had to push myself.",
        "Only half-hearted.",
        "Long day at work.",
        "Better than nothing.",
    ],
    [
        "很累，但做完了。",
        "硬着头皮做的。",
        "有点敷衍。",
        "加班到很晚。",
        "总比没做好。",
    ],
];
/// Words to find check-ins by.
pub(super) const TAGS: [[&str; 4]; 2] = [
    ["home", "outside", "alone", "together"],
    ["在家", "户外", "独自", "一起"],
];
/// Places where people check in, with longitude and latitude.
pub(super) const PLACES: [(f64, f64, &str); 4] = [
    (116.3974, 39.9087, "北京"),
    (121.4737, 31.2304, "上海"),
    (113.2644, 23.1291, "广州"),
    (104.0668, 30.5728, "成都"),
];
/// A habit of one's own.
pub(super) struct Own {
    /// Its name, in English and in Chinese.
    pub(super) names: [&'static str; 2],
    /// Its group.
    pub(super) category: &'static str,
    /// An emoji.
    pub(super) icon: &'static str,
    /// `#RRGGBB`.
    pub(super) color: &'static str,
    /// The goal, in minutes.
    pub(super) minutes: Option<u32>,
}

const fn own(
    names: [&'static str; 2],
    category: &'static str,
    icon: &'static str,
    color: &'static str,
    minutes: Option<u32>,
) -> Own {
    Own {
        names,
        category,
        icon,
        color,
        minutes,
    }
}

/// Habits of one's own.
pub(super) const OWN: &[Own] = &[
    own(["Practise guitar", "弹吉他"], "hobby", "🎸", "#8B5CF6", Some(20)),
    own(["Walk the dog", "遛狗"], "life", "🐕", "#F59E0B", None),
    own(["No late snacks", "不吃夜宵"], "health", "🌙", "#10B981", None),
    own(["Learn Rust", "学 Rust"], "study", "🦀", "#EF4444", Some(40)),
    own(["Drawing", "画画"], "hobby", "🎨", "#EC4899", Some(30)),
    own(["Badminton", "打羽毛球"], "fitness", "🏸", "#22C55E", Some(60)),
    own(["Write to a friend", "给朋友写信"], "life", "✉️", "#0EA5E9", None),
    own(["Clean the fridge", "清理冰箱"], "life", "🧊", "#64748B", None),
    own(["Yoga", "瑜伽"], "fitness", "🧘", "#A855F7", Some(25)),
    own(["Old photos", "整理照片"], "life", "📷", "#F97316", None),
    own(["Piano scales", "钢琴音阶"], "hobby", "🎹", "#1D4ED8", Some(15)),
    own(["Sit outside", "晒太阳"], "health", "☀️", "#FACC15", None),
];
