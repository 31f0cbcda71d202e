#include "recall/asked_text.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using namespace engram::recall;

/// The words that a search looks for, those aside in brackets.
std::string terms(std::string const& message) {
    std::string all;
    for (auto const& one : asked_text(message).words) {
        if (!one.content) continue;
        if (!all.empty()) all += ' ';
        all += one.aside ? "(" + one.text + ")" : one.text;
    }
    return all;
}

std::string const mail =
    "Dear Anna,\n\nthank you for the invoice of the garden company. Could you send the corrected version "
    "until Friday? The fence was delivered too late, and the carpenter had to come a second time, which we "
    "would like to see in the final amount. The neighbours complained about the noise of the saw as well, so "
    "please ask the workers to begin after nine. The gate still does not close, and one of the posts has "
    "a crack; a photograph is attached. The paint that was left over stands behind the shed.\n\nKind "
    "regards\nThomas Berger\nHausverwaltung";

BOOST_AUTO_TEST_SUITE(asked_texts)

BOOST_AUTO_TEST_CASE(what_is_about_nothing_has_no_terms) {
    for (auto const* message : {"Good morning",
                                "good morning!",
                                "Good evening, how are you today?",
                                "Hi!",
                                "hey there",
                                "ok thanks",
                                "Okay, thank you so much!!!",
                                "lol",
                                "hahaha",
                                "yes please",
                                "No problem.",
                                "go on",
                                "Tell me more",
                                "Sounds good, see you tomorrow",
                                "nice",
                                "What do you think?",
                                "\xF0\x9F\x91\x8D",
                                "\xF0\x9F\x98\x82\xF0\x9F\x98\x82",
                                "...",
                                "Guten Morgen",
                                "Guten Morgen, wie geht es dir?",
                                "Vielen Dank!",
                                "Alles klar, bis morgen",
                                "Bonjour, ça va ?",
                                "Merci beaucoup",
                                "Bonne nuit !",
                                "Hola, ¿qué tal?",
                                "Buenos días",
                                "Muchas gracias",
                                "jajaja",
                                "Bom dia, tudo bem?",
                                "Obrigado!",
                                "Buongiorno, come stai?",
                                "Grazie mille",
                                "Goedemorgen, hoe gaat het?",
                                "Dank je wel",
                                "Dzień dobry",
                                "Cześć, co słychać?",
                                "Доброе утро",
                                "Привет! Как дела?",
                                "Спасибо большое",
                                "Günaydın, nasılsın?",
                                "Teşekkür ederim",
                                "God morgon, hur mår du?",
                                "Доброго ранку",
                                "おはようございます",
                                "ありがとう!",
                                "早上好",
                                "谢谢",
                                "안녕하세요",
                                "감사합니다",
                                "صباح الخير",
                                "शुभ प्रभात",
                                "Selamat pagi, apa kabar?",
                                "สวัสดีครับ"})
        BOOST_TEST(terms(message) == "", message << ": " << terms(message));
}

BOOST_AUTO_TEST_CASE(what_is_about_something_keeps_its_words) {
    BOOST_TEST(terms("Good morning, what is my dog called?") == "dog called");
    BOOST_TEST(terms("What is a good name for a dog?") == "good name dog");
    BOOST_TEST(terms("When do I get up in the morning?") == "morning");
    BOOST_TEST(terms("Guten Morgen! Wie heißt mein Hund?") == "heisst hund");
    BOOST_TEST(terms("Hola, ¿cómo se llama mi perro?") == "llama perro");
    BOOST_TEST(terms("Привет, как зовут мою собаку?") == "собаку");
    BOOST_TEST(terms("Merci, et mon chien ?") == "chien");
    BOOST_TEST(terms("Did my cat die?") == "cat die");
    BOOST_TEST(terms("thai food") == "thai food");
    BOOST_TEST(!terms("私の犬の名前は何ですか").empty());
    BOOST_TEST(!terms("我的狗叫什么名字").empty());
}

BOOST_AUTO_TEST_CASE(of_a_long_message_the_question_counts_in_its_own_right) {
    for (auto const& message : {mail + "\n\nWhat is my dog called?", "What is my dog called?\n\n" + mail,
                                mail + "\nWhat is my dog called?"}) {
        auto const all = terms(message);
        BOOST_TEST(all.find("dog called") != std::string::npos, all);
        BOOST_TEST(all.find("(dog)") == std::string::npos, all);
        BOOST_TEST(all.find("(fence)") != std::string::npos, all);
        BOOST_TEST(all.find("(corrected)") != std::string::npos, all);
    }
}

BOOST_AUTO_TEST_CASE(the_question_may_be_in_any_language_and_script) {
    for (auto const* question : {"Wie heißt mein Hund?", "Как зовут мою собаку?", "私の犬の名前は何ですか？",
                                 "ما اسم كلبي؟", "¿Cómo se llama mi perro?", "Πώς λένε τον σκύλο μου;"}) {
        asked_text const all(mail + "\n\n" + question);
        std::size_t asked = 0;
        for (auto const& one : all.words)
            asked += one.content && !one.aside ? 1 : 0;
        BOOST_TEST((asked > 0 && asked < 14), question << ": " << asked);
    }
}

BOOST_AUTO_TEST_CASE(an_instruction_before_or_after_a_text_counts_as_a_question) {
    std::string const text = "The fence was delivered too late. " + std::string(mail, 13, 300);
    std::string told;
    for (char const c : text)
        told += c == '?' ? '.' : c;
    auto const all = terms("Tell me the name of my dog\n\n" + told);
    BOOST_TEST(all.find("name dog") != std::string::npos, all);
    BOOST_TEST(all.find("(delivered)") != std::string::npos, all);
}

BOOST_AUTO_TEST_CASE(a_question_in_a_quoted_line_is_not_the_users) {
    std::string quoted = "> What is the fence called?\n";
    for (int i = 0; i < 20; ++i)
        quoted += "> something about the delivered posts\n";
    auto const all = terms(quoted + "\nWhat is my dog called?");
    BOOST_TEST(all.find("(fence)") != std::string::npos, all);
    BOOST_TEST(all.find(" dog") != std::string::npos, all);
}

BOOST_AUTO_TEST_CASE(a_short_message_is_all_question) {
    BOOST_TEST(terms("I fly to Rome on Monday. What shall I pack?") == "fly rome monday pack");
}

BOOST_AUTO_TEST_CASE(dates_of_what_is_aside_are_not_asked_for) {
    asked_text const all(mail + " on 3 May 2021\n\nWhat did I eat on 4 June 2022?");
    BOOST_TEST(all.question.find("2022") != std::string::npos);
    BOOST_TEST(all.question.find("2021") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(whose_words_are_asked_for_is_seen) {
    for (auto const* message :
         {"What did you recommend for my back?", "You suggested a book, which one?", "what was your advice",
          "Which wine have you recommended?", "Was hast du mir empfohlen?",
          "Qu'est-ce que tu m'as conseillé ?", "¿Qué me recomendaste?", "Cosa mi hai consigliato?",
          "Что ты мне посоветовал?"})
        BOOST_TEST(asked_text(message).asks_assistant, message);
    for (auto const* message :
         {"What would you recommend?", "Can you suggest a book?", "What did I tell you about my back?",
          "Which wine do you like?", "Was habe ich dir gesagt?", "Was empfiehlst du?",
          "What did my doctor suggest?"})
        BOOST_TEST(!asked_text(message).asks_assistant, message);
}

BOOST_AUTO_TEST_CASE(any_bytes_are_read) {
    BOOST_TEST(asked_text("").words.empty());
    BOOST_TEST(asked_text("?").words.empty());
    BOOST_TEST(asked_text("\n\n\n").words.empty());
    BOOST_TEST(asked_text(std::string(100'000, '\xFF')).words.empty());
    BOOST_TEST(asked_text(std::string(100'000, '?')).words.empty());
    std::string many;
    for (int i = 0; i < 50'000; ++i)
        many += "w" + std::to_string(i) + "? ";
    BOOST_TEST(asked_text(many).words.size() == 2'000U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
