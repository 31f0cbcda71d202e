// What goes with a memory, and what stays, in many languages: the table is the specification.
#include "recall/telltale.hpp"

#include "recall/sentences.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <ctime>

using namespace engram::recall;

namespace {

struct one_case {
    char const* language;
    char const* memory;
    char const* text;
    char const* left;  // null: all of it
};

std::optional<std::string> cut(one_case const& one, kinship how, char const* now = "") {
    telltale of;
    of.add(one.memory, now);
    return of.cut(one.text, [how](std::size_t) { return how; });
}

void check(one_case const& one, kinship how, char const* now = "") {
    auto const left = cut(one, how, now);
    auto const is = left.value_or("(all of it)");
    BOOST_TEST(is == (one.left == nullptr ? "(all of it)" : one.left),
               one.language << ": " << one.memory << " / " << one.text << " -> " << is);
}

constexpr auto all = nullptr;

// Answers that were made while the memory stood in the prompt.
constexpr auto answers = std::to_array<one_case>({
    {"en", "The user's safe opens with 4711", "Your code is 4711. Anything else?", "Anything else?"},
    {"en", "The user's safe opens with 4711", "It is 47-11, as you said.\nSleep well.", "Sleep well."},
    {"en", "The user's safe opens with 4711", "Use 4 7 1 1 for it. Good luck!", "Good luck!"},
    {"en", "The user's safe opens with 4711", "Room 471 costs 47 euros. 14711 people came.", all},
    {"en", "The user's rent is 1 250 euros", "You pay 1,250 a month. That is much.", "That is much."},
    {"en", "The user's phone number is +49 170 1234567", "Call 0170-1234567. Or write.", "Or write."},
    {"en", "The user's mail is ada.q@qzmail.example", "I wrote to ada.q@qzmail.example. It left.",
     "It left."},
    {"en", "The user's password is hUnTer2x9", "Type hunter2x9 there. Then wait.", "Then wait."},
    {"en", "The user was born in 1985", "You are of 1985, e.g. not old. Right?", "Right?"},
    {"en", "The user moves in 2027", "In 2027 there are elections. They are in May.", all},
    {"en", "The user lives in Paris", "Dr. Miller works in Paris. He is kind.", "He is kind."},
    {"en", "The user lives in Paris", "How do you like it there? I like trains.", all},
    {"en", "The user likes coffee", "She likes tea. He likes milk.", all},
    {"en", "The user likes coffee", "Coffee comes from Brazil.", all},
    {"en", "The user loves bouillabaisse", "A bouillabaisse would be fine! Or bread?", "Or bread?"},
    {"en", "The user plays chess on Mondays", "On Monday the shops are closed.", all},
    {"en", "The user has a sister called Marguerite", "Marguerite's train is late. It comes at 3.5 km/h.",
     "It comes at 3.5 km/h."},
    {"en", "The user takes warfarin every evening", "- Take the warfarin now.\n- Drink water.",
     "- Drink water."},
    {"de", "Der Nutzer trinkt gern Kaffee", "Der Tee ist fertig. Der Kaffee auch bald.", all},
    {"de", "Der Code des Nutzers lautet 4711", "Dein Code ist 4711. Bis am 3. Mai!", "Bis am 3. Mai!"},
    {"de", "Der Nutzer wohnt in Göteborg", "In GÖTEBORG regnet es. Hier nicht.", "Hier nicht."},
    {"de", "Die Tochter der Nutzerin heißt Annika", "Annikas Fest ist morgen. Schön!", "Schön!"},
    {"fr", "L'utilisateur habite à Besançon", "À Besancon, il pleut. Prenez un parapluie.",
     "Prenez un parapluie."},
    {"fr", "Le code de l'utilisateur est 90 210", "C'est le 90210 ! Bonne nuit.", "Bonne nuit."},
    {"fr", "L'utilisateur aime le chocolat", "Il aime les chiens. Elle aime le vin.", all},
    {"es", "La usuaria es alérgica a los cacahuetes", "¿Lleva cacahuetes? Entonces no lo coma. Hay pan.",
     "Entonces no lo coma. Hay pan."},
    {"es", "El perro del usuario se llama Zorriño", "¡Qué lindo es Zorriño! Paséelo.", "Paséelo."},
    {"it", "L'utente vive a Bolzano dal 1998", "Dal 1998, vero? Che bello.", "Che bello."},
    {"pt", "O PIN do usuário é 8823", "Seu PIN: 8823\nGuarde-o bem.", "Guarde-o bem."},
    {"nl", "De gebruiker woont in Zwolle", "Zwolle ligt aan de IJssel. Fietst u graag?", "Fietst u graag?"},
    {"pl", "Córka użytkownika ma na imię Zofia", "Powiedz Zofii dobranoc. Do jutra!", "Do jutra!"},
    {"cs", "Uživatel bydlí v Olomouci", "V Olomouc je dnes hezky. Jdi ven.", "Jdi ven."},
    {"ru", "Пользователь живёт в Магадане", "Магадан далеко. Берите пальто.", "Берите пальто."},
    {"ru", "Код пользователя 4711", "Ваш код — 4711. Спокойной ночи.", "Спокойной ночи."},
    {"uk", "Кота користувача звати Мурчик", "Мурчика треба годувати. Двічі на день.", "Двічі на день."},
    {"el", "Ο χρήστης μένει στα Ιωάννινα", "Στα Ιωάννινα βρέχει. Πάρε ομπρέλα.", "Πάρε ομπρέλα."},
    {"tr", "Kullanıcı İzmir'de yaşıyor", "İzmir çok sıcak. Su iç.", "Su iç."},
    {"fi", "Käyttäjän tytär on nimeltään Aino-Kaisa", "Aino-Kaisan juhlat ovat pian. Hienoa!", "Hienoa!"},
    {"hu", "A felhasználó Debrecenben lakik", "Debrecen szép város. Jó éjszakát!", "Jó éjszakát!"},
    {"ar", "رمز خزنة المستخدم هو ٤٧١١", "الرمز هو 4711. تصبح على خير؟ نعم.", "تصبح على خير؟ نعم."},
    {"ar", "المستخدم يسكن في طرابلس", "الطقس في طرابلس جميل؟ نعم.", "نعم."},
    {"fa", "کد کاربر ۴۷۱۱ است", "کد شما ۴۷۱۱ است. شب بخیر.", "شب بخیر."},
    {"he", "המשתמש גר באשקלון", "אשקלון יפה היום. לילה טוב.", "לילה טוב."},
    {"hi", "उपयोगकर्ता का कोड ४७११ है", "आपका कोड 4711 है। शुभ रात्रि।", "शुभ रात्रि।"},
    {"bn", "ব্যবহারকারীর কোড ৪৭১১", "আপনার কোড ৪৭১১। শুভ রাত্রি।", "শুভ রাত্রি।"},
    {"th", "รหัสของผู้ใช้คือ ๔๗๑๑", "รหัสของคุณคือ 4711\nราตรีสวัสดิ์", "ราตรีสวัสดิ์"},
    {"zh", "用户的保险箱密码是4711", "您的密码是4711。晚安。", "晚安。"},
    {"zh", "用户住在哈尔滨", "哈尔滨今天很冷！多穿衣服。", "多穿衣服。"},
    {"zh", "用户叫王小明", "王小明先生，您好！有什么事吗？", "有什么事吗？"},
    {"zh", "用户喜欢音乐", "我喜欢这个。你喜欢什么？", all},
    {"ja", "ユーザーの暗証番号は４７１１です", "番号は4711です。おやすみなさい。", "おやすみなさい。"},
    {"ja", "ユーザーは函館に住んでいます", "函館は寒いですね。暖かくして。", "暖かくして。"},
    {"ja", "ユーザーの犬はポチタロウという名前です", "ポチタロウは元気ですか？散歩しましょう。",
     "散歩しましょう。"},
    {"ko", "사용자는 여수에 산다", "여수는 아름답습니다. 안녕히 주무세요.", "안녕히 주무세요."},
    {"ko", "사용자의 비밀번호는 4711이다", "비밀번호는 4711입니다. 잘 자요.", "잘 자요."},
    {"vi", "Người dùng sống ở Đà Lạt", "Đà Lạt hôm nay lạnh. Ngủ ngon.", "Ngủ ngon."},
    {"id", "Pengguna tinggal di Balikpapan", "Balikpapan panas sekali. Minum air!", "Minum air!"},
    {"sw", "Mtumiaji anaishi Zanzibar", "Zanzibar ni nzuri. Lala salama.", "Lala salama."},
});

// The user's own turns, of which only what plainly tells it goes.
constexpr auto own_words = std::to_array<one_case>({
    {"en", "The user lives in Paris", "There is a bridge of Paris in my picture.", all},
    {"en", "The user lives in Paris", "I live in Paris. It is big.", "It is big."},
    {"en", "The user's sister is called Marguerite", "Marguerite was once a queen.", all},
    {"en", "The user's sister is called Marguerite", "My sister Marguerite rang. Bye.", "Bye."},
    {"en", "The user's code is 4711", "The code? 4711. Thanks.", "The code? Thanks."},
    {"de", "Der Nutzer wohnt in Göteborg", "Göteborg hat einen Hafen.", all},
    {"de", "Der Nutzer wohnt in Göteborg", "Ich wohne in Göteborg. Du?", "Du?"},
    {"zh", "用户的密码是4711", "密码是4711。谢谢。", "谢谢。"},
});

struct correction {
    char const* language;
    char const* memory;
    char const* now;
    char const* text;
    char const* left;
};

constexpr auto corrections = std::to_array<correction>({
    {"en", "The user lives in Paris", "The user lives in Rome", "I live in Paris. I have a dog.",
     "I have a dog."},
    {"en", "The user lives in Paris", "The user lives in Rome", "I have moved from Paris to Rome.", nullptr},
    {"en", "The user lives in Paris", "The user lives in Rome", "I live near my mother.", nullptr},
    {"en", "The user's code is 4711", "The user's door code is 4712", "The door code is 4711.", ""},
    {"en", "The user lives in Paris", "The user lives in Paris, rue Oberkampf", "I live in Paris.", nullptr},
    {"en", "The user likes coffee", "The user does not like coffee", "I like coffee.", ""},
    {"en", "The user has 2 dogs", "The user has 3 dogs", "I have 2 dogs. They bark.", "They bark."},
    {"de", "Der Nutzer arbeitet bei Siemens", "Der Nutzer arbeitet bei Bosch",
     "Ich arbeite bei Siemens. Gut so.", "Gut so."},
    {"ru", "Пользователь живёт в Туле", "Пользователь живёт в Казани", "Я живу в Туле. У меня кот.",
     "У меня кот."},
    {"zh", "用户住在哈尔滨", "用户住在成都", "我住在哈尔滨。我有猫。", "我有猫。"},
    {"ja", "ユーザーは函館に住んでいます", "ユーザーは札幌に住んでいます", "函館に住んでいます。猫がいます。",
     "猫がいます。"},
});

// Of this thread.
double cpu_seconds() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::string repeat(std::string_view piece, std::size_t bytes) {
    std::string text;
    while (text.size() + piece.size() <= bytes)
        text += piece;
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(telltales)

BOOST_AUTO_TEST_CASE(sentences_of_an_answer_that_carry_what_is_distinctive_are_cut) {
    for (auto const& one : answers)
        check(one, kinship::made);
}

BOOST_AUTO_TEST_CASE(the_users_own_words_go_where_they_plainly_tell_it) {
    for (auto const& one : own_words)
        check(one, kinship::elsewhere);
}

BOOST_AUTO_TEST_CASE(what_was_corrected_goes_and_the_correction_stays) {
    for (auto const& one : corrections)
        check({one.language, one.memory, one.text, one.left}, kinship::told, one.now);
}

BOOST_AUTO_TEST_CASE(what_another_memory_says_too_gives_nothing_away) {
    telltale of;
    of.add("The user lives in Paris", "");
    of.hold("The user works in Paris");
    auto const made = [](std::size_t) { return kinship::made; };
    BOOST_TEST(!of.cut("Paris is big.", made).has_value());
    BOOST_TEST(of.cut("You live in Paris. Fine.", made).value() == "Fine.");
}

BOOST_AUTO_TEST_CASE(a_text_that_has_nothing_to_do_with_it_loses_nothing) {
    telltale of;
    of.add("The code is 4711", "");
    BOOST_TEST(!of.cut("It is 4711.", [](std::size_t) { return kinship::none; }).has_value());
    BOOST_TEST(telltale().empty());
    BOOST_TEST(!of.empty());
}

BOOST_AUTO_TEST_CASE(a_memory_tag_goes_as_a_whole) {
    telltale of;
    of.add("The code is 4711", "");
    auto const made = [](std::size_t) { return kinship::made; };
    BOOST_TEST(of.cut("Noted. [MEMORY: fact|The code. It is 4711. For [x] only] Bye.", made).value() ==
               "Noted. Bye.");
    BOOST_TEST(of.cut("Noted.\n［MEMORY：fact｜The code is 4711］\n[MEMORY: fact|A dog]", made).value() ==
               "Noted.\n[MEMORY: fact|A dog]");
    BOOST_TEST(of.cut("Noted.\n[MEMORY: fact|The code is 4711", made).value() == "Noted.");
}

BOOST_AUTO_TEST_CASE(the_brackets_of_a_tag_are_paired_in_a_text_of_many) {
    telltale of;
    of.add("The code is 4711", "");
    auto const left = [&](std::string const& text) {
        return of.cut(text, [](std::size_t) { return kinship::made; }).value_or("(all of it)");
    };
    BOOST_TEST(left("[memory [MEMORY: fact|4711. Yes] Bye.") == "[memory Bye.");
    BOOST_TEST(left("[memory: a [memory: b [4711]] c] Bye.") == "Bye.");
    BOOST_TEST(left("[memory: 4711\n[memory: a] b] Bye.") == "Bye.");
    BOOST_TEST(left("] [memory: a] [memory: 4711. b]] c.") == "] [memory: a] ] c.");
    // Longer than a tag may be: its line is one.
    BOOST_TEST(left("[memory: 4711. " + repeat("a ", 4'000) + "\nb. ] c.") == "b. ] c.");
}

BOOST_AUTO_TEST_CASE(a_number_is_found_in_a_long_list_of_numbers) {
    telltale of;
    of.add("The code is 4711", "");
    auto const found = [&](std::string const& text) {
        return of.cut(text, [](std::size_t) { return kinship::made; }).has_value();
    };
    BOOST_TEST(found(repeat("1 ", 200) + "4711 " + repeat("2 ", 200)));
    BOOST_TEST(found("4 7 1 1 " + repeat("2 ", 200)));
    BOOST_TEST(!found(repeat("4 ", 2'000)));
}

BOOST_AUTO_TEST_CASE(a_digit_of_any_script_in_front_of_a_letter_begins_a_word) {
    for (std::string const text : {"٤a", "۴b x", "४c", "٤٧١١x", "4711x", "٤٧ a", "א٤a"})
        BOOST_TEST(!tokens_of(text).empty(), text);
    auto const tokens = tokens_of("٤٧١١er");
    BOOST_REQUIRE(tokens.size() == 1u);
    BOOST_TEST(to_utf8(tokens[0].text) == "4711er");
}

// Eight times as much may cost little more than eight times as much; where each place walks over the rest it
// would be 64 times.
BOOST_AUTO_TEST_CASE(no_text_costs_the_square_of_its_length) {
    telltale of;
    for (int i = 0; i < 40; ++i)
        of.add("The code is " + std::to_string(470'000 + i) + ", says Zofia", "");
    auto const cost = [&](std::string const& text) {
        double best = 1e9;
        for (int i = 0; i < 3; ++i) {
            auto const begin = cpu_seconds();
            (void)of.cut(text, [](std::size_t) { return kinship::made; });
            best = std::min(best, cpu_seconds() - begin);
        }
        return best;
    };
    auto const half = [](std::string_view a, std::string_view b, std::size_t bytes) {
        return repeat(a, bytes / 2) + repeat(b, bytes / 2);
    };
    constexpr std::size_t small = 32 * 1024, large = 256 * 1024;
    for (auto const* const piece : {".", "!", ".)", "…", ". ", "[memory ", "[memory: [", "[", "1 ", "4 7",
                                    "1", "٤٧ ", "a. b) ", "\x80", "\x80.", "。」", "字", "ก ", "Zofia "}) {
        auto const ratio = cost(repeat(piece, large) + "x:") / cost(repeat(piece, small) + "x:");
        BOOST_TEST(ratio < 24, piece << " costs " << ratio << " times as much");
    }
    for (auto const& [a, b] : {std::pair(".", " "), {"[memory ", "]"}, {"[memory ", "] "}, {". ", "\n"}}) {
        auto const ratio = cost(half(a, b, large) + "x") / cost(half(a, b, small) + "x");
        BOOST_TEST(ratio < 24, a << b << " costs " << ratio << " times as much");
    }
}

BOOST_AUTO_TEST_CASE(sentences_end_where_they_do) {
    auto const pieces = [](std::string_view text) {
        std::string joined;
        for (auto const one : sentences_of(text))
            joined.append(joined.empty() ? "" : "|").append(one);
        return joined;
    };
    BOOST_TEST(pieces("") == "");
    BOOST_TEST(pieces("One. Two! Three? Four") == "One. |Two! |Three? |Four");
    BOOST_TEST(pieces("Dr. A. Miller has 3.5 kg, e.g. of v1.2.3. Yes.") ==
               "Dr. A. Miller has 3.5 kg, e.g. of v1.2.3. |Yes.");
    BOOST_TEST(pieces("See https://a.example/b?c=d. Then a.b@c.de! Go") ==
               "See https://a.example/b?c=d. |Then a.b@c.de! |Go");
    BOOST_TEST(pieces("„Ja.“ Nein (oder?) doch... Gut") == "„Ja.“ |Nein (oder?) |doch... |Gut");
    BOOST_TEST(pieces("1. one\n2. two\r\n\r\n- three") == "1. one\n|2. two\r\n\r\n|- three");
    BOOST_TEST(pieces("是的。「好！」然后？走") == "是的。|「好！」|然后？|走");
    BOOST_TEST(pieces("हाँ। नहीं॥ नमस्ते") == "हाँ। |नहीं॥ |नमस्ते");
    BOOST_TEST(pieces("نعم؟ لا۔ ok") == "نعم؟ |لا۔ |ok");
    BOOST_TEST(pieces("ใช่ครับ ขอบคุณ 4711 ครับ") == "ใช่ครับ |ขอบคุณ 4711 ครับ");
    BOOST_TEST(pieces("\xFF\xFE. a \xE2\x82") == "\xFF\xFE. a \xE2\x82");
}

BOOST_AUTO_TEST_SUITE_END()
