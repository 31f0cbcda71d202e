#include "recall/date_words.hpp"

#include "recall/hash.hpp"
#include "recall/words.hpp"

#include <algorithm>
#include <unordered_map>

namespace engram::recall {
namespace {

using std::string_view;

enum class is {
    month,
    doubtful_month,
    risky_month,
    weekday,
    short_weekday,
    days_back,
    unit,
    number,
    last,
    running,
    ago_before,
    ago_after,
    of,
    at
};

struct row {
    is what;
    int value;
    string_view words;
};

// English, German, French, Spanish, Portuguese, Italian, Dutch, Polish, Russian, Ukrainian, Turkish, Swedish,
// Danish, Norwegian, Indonesian, Arabic, Hindi; with the forms that stand in a date.
constexpr row rows[] = {
    {is::month, 1,
     "january januar januari janvier enero janeiro gennaio styczeń stycznia styczniu январь января "
     "январе січень січня січні jänner يناير जनवरी"},
    {is::month, 2,
     "february februar februari février febrero fevereiro febbraio luty lutego lutym февраль февраля "
     "феврале лютий лютого лютому şubat فبراير फरवरी"},
    {is::month, 3,
     "märz marzo março maart marzec marca marcu март марта марте березень березня березні مارس मार्च "
     "maret"},
    {is::month, 4,
     "april avril abril aprile kwiecień kwietnia kwietniu апрель апреля апреле квітень квітня квітні "
     "nisan أبريل अप्रैल"},
    {is::month, 5, "mayo maio maggio mei maja maju май мая мае травень травня травні mayıs maj مايو"},
    {is::month, 6,
     "june juni juin junio junho giugno czerwiec czerwca czerwcu июнь июня июне червень червня червні "
     "haziran يونيو जून"},
    {is::month, 7,
     "july juli juillet julio julho luglio lipiec lipca lipcu июль июля июле липень липня липні temmuz "
     "يوليو जुलाई"},
    {is::month, 8,
     "august août agosto augustus sierpień sierpnia sierpniu август августа августе серпень серпня "
     "серпні ağustos augusti agustus أغسطس अगस्त"},
    {is::month, 9,
     "september septembre septiembre setiembre setembro settembre wrzesień września wrześniu сентябрь "
     "сентября сентябре вересень вересня вересні eylül سبتمبر सितंबर"},
    {is::month, 10,
     "october oktober octobre octubre outubro ottobre październik października październiku октябрь "
     "октября октябре жовтень жовтня жовтні ekim أكتوبر अक्टूबर"},
    {is::month, 11,
     "november novembre noviembre novembro listopad listopada listopadzie ноябрь ноября ноябре "
     "листопад листопада листопаді kasım نوفمبر नवंबर"},
    {is::month, 12,
     "december dezember décembre diciembre dezembro dicembre grudzień grudnia grudniu декабрь декабря "
     "декабре грудень грудня грудні aralık desember ديسمبر दिसंबर"},
    // Abbreviations, and what is an ordinary word as well.
    {is::doubtful_month, 1, "jan jän janv ene янв січ ocak oca"},
    {is::doubtful_month, 2, "feb febr fév fev фев февр şub"},
    {is::doubtful_month, 3, "march mar mars mart mär mrz mrt мар бер"},
    {is::doubtful_month, 4, "apr avr abr апр кві nis"},
    {is::doubtful_month, 5, "may mai тра"},
    {is::doubtful_month, 6, "jun giu июн чер"},
    {is::doubtful_month, 7, "jul juil lug июл"},
    {is::doubtful_month, 8, "aug aoû aout sierp авг сер ağu agt"},
    {is::doubtful_month, 9, "sep sept wrz сен сент вер eyl"},
    {is::doubtful_month, 10, "oct okt ott paź окт жов eki"},
    {is::doubtful_month, 11, "nov ноя нояб лис"},
    {is::doubtful_month, 12, "dec dez déc dic дек гру"},
    // Words that are common in some language: only in a whole date.
    {is::risky_month, 1, "gen sty"},
    {is::risky_month, 2, "lut"},
    {is::risky_month, 4, "kwi"},
    {is::risky_month, 5, "mag"},
    {is::risky_month, 6, "cze haz"},
    {is::risky_month, 7, "lip tem"},
    {is::risky_month, 8, "ago sie"},
    {is::risky_month, 9, "set"},
    {is::risky_month, 10, "out"},
    {is::risky_month, 11, "lis kas"},
    {is::risky_month, 12, "gru ara des"},
    {is::weekday, 1,
     "monday montag lundi lunes segunda lunedì maandag poniedziałek понедельник понеділок pazartesi "
     "måndag mandag senin"},
    {is::weekday, 2,
     "tuesday dienstag mardi martes terça martedì dinsdag wtorek вторник вівторок salı tisdag tirsdag "
     "selasa"},
    {is::weekday, 3,
     "wednesday mittwoch mercredi miércoles quarta mercoledì woensdag środa środę среда среду середа "
     "середу çarşamba onsdag rabu"},
    {is::weekday, 4,
     "thursday donnerstag jeudi jueves quinta giovedì donderdag czwartek четверг четвер perşembe "
     "torsdag kamis"},
    {is::weekday, 5,
     "friday freitag vendredi viernes sexta venerdì vrijdag piątek пятница пятницу пʼятниця cuma "
     "fredag jumat"},
    {is::weekday, 6,
     "saturday samstag sonnabend samedi sábado sabato zaterdag sobota sobotę суббота субботу субота "
     "суботу cumartesi lördag lørdag sabtu"},
    {is::weekday, 7,
     "sunday sonntag dimanche domingo domenica zondag niedziela niedzielę воскресенье неділя неділю "
     "pazar söndag søndag minggu"},
    {is::short_weekday, 1, "mon"},
    {is::short_weekday, 2, "tue tues"},
    {is::short_weekday, 3, "wed"},
    {is::short_weekday, 4, "thu thur thurs"},
    {is::short_weekday, 5, "fri"},
    {is::short_weekday, 6, "sat"},
    {is::short_weekday, 7, "sun"},
    {is::days_back, 0,
     "today tonight heute aujourd hoy hoje oggi vandaag dziś dzisiaj сегодня сьогодні bugün idag اليوم "
     "आज"},
    {is::days_back, 1, "yesterday gestern ayer ontem ieri gisteren wczoraj вчера вчора dün igår أمس kemarin"},
    {is::days_back, 2, "vorgestern anteayer antier anteontem eergisteren przedwczoraj позавчера позавчора"},
    {is::unit, 1,
     "day days tag tage tagen jour jours día días dia dias giorno giorni dag dagen dzień dni день дня "
     "дней дні днів gün dagar dager dage hari"},
    {is::unit, 2,
     "week weeks woche wochen semaine semaines semana semanas settimana settimane weken tydzień tygodnia "
     "tygodniu tygodnie tygodni неделя недели неделе неделю недель тиждень тижня тижні тижнів hafta vecka "
     "veckan veckor uge ugen uke uken uker minggu"},
    {is::unit, 3,
     "month months monat monate monaten mois mes meses mês mese mesi maand maanden miesiąc miesiąca "
     "miesiącu miesiące miesięcy месяц месяца месяце месяцев місяць місяця місяці місяців ay månad månaden "
     "månader måned måneden måneder bulan"},
    {is::unit, 4,
     "year years jahr jahre jahren jahres an ans année années año años ano anos anno anni jaar jaren rok "
     "roku lata lat год года году лет рік року років yıl år året tahun"},
    {is::number, 1,
     "a an one ein eine einem einer un une una uno um uma een jeden один одну одна bir en ett et satu"},
    {is::number, 2, "two zwei deux dos dois duas due twee dwa dwie два две дві iki två dua"},
    {is::number, 3, "three drei trois tres três tre drie trzy три üç tiga"},
    {is::number, 4, "four vier quatre cuatro quatro quattro cztery четыре чотири dört fyra fire empat"},
    {is::number, 5, "five fünf cinq cinco cinque vijf pięć пять пʼять beş fem lima"},
    {is::number, 6, "six sechs seis sei zes sześć шесть шість altı sex seks"},
    {is::number, 7, "seven sieben sept siete sete sette zeven siedem семь сім yedi sju syv"},
    {is::number, 8, "eight acht huit ocho oito otto osiem восемь вісім sekiz åtta otte"},
    {is::number, 9, "nine neun neuf nueve nove negen dziewięć девять девʼять dokuz nio ni"},
    {is::number, 10, "ten zehn dix diez dez dieci tien dziesięć десять tio ti"},
    {is::number, 11, "eleven elf onze once undici"},
    {is::number, 12, "twelve zwölf douze doce doze dodici twaalf"},
    {is::last, 0,
     "last past letzte letzten letzter letztes letztem vergangene vergangenen vergangener vergangenes "
     "vorige vorigen voriges dernier dernière passé passée pasado pasada passado passada scorso scorsa "
     "vorig afgelopen zeszły zeszłym zeszłego zeszła zeszłą ubiegły ubiegłym прошлый прошлой прошлом "
     "прошлую прошлого минулий минулого минулому минулу geçen förra sidste forrige lalu"},
    {is::running, 0,
     "this diese diesen dieser dieses diesem ce cette cet este esta questo questa deze dit tym tę "
     "этой этом эту этот цього цьому цей bu denna denne dette ini"},
    {is::ago_before, 0, "vor hace há il faz"},
    {is::ago_after, 0, "ago fa geleden temu назад тому önce sedan siden atrás lalu"},
    {is::of, 0, "of de del di do da van"},
    {is::at, 0,
     "in of during since until before after by last this next on past im am seit bis nach letzten letzte en "
     "au depuis dès le desde durante hasta em no na el nel di dal fino da sinds tot op w od после с "
     "в во до з у geçen i på sedan sejak pada bulan"},
};

void add(date_word& to, row const& from) {
    switch (from.what) {
        case is::month:
        case is::doubtful_month:
        case is::risky_month:
            if (to.month != 0) return;
            to.month = from.value;
            to.doubtful = from.what != is::month;
            to.risky = from.what == is::risky_month;
            return;
        case is::weekday:
        case is::short_weekday:
            to.weekday = from.value;
            to.short_day = from.what == is::short_weekday;
            return;
        case is::days_back:
            to.days_back = from.value;
            return;
        case is::unit:
            to.unit = static_cast<date_word::span>(from.value);
            return;
        case is::number:
            to.number = from.value;
            return;
        case is::last:
            to.last = true;
            return;
        case is::running:
            to.running = true;
            return;
        case is::ago_before:
            to.ago_before = true;
            return;
        case is::ago_after:
            to.ago_after = true;
            return;
        case is::of:
            to.of = true;
            return;
        case is::at:
            to.at = true;
            return;
    }
}

std::unordered_map<std::uint64_t, date_word> read_rows() {
    std::unordered_map<std::uint64_t, date_word> all;
    for (auto const& one : rows) {
        word_reader reader(one.words);
        for (word name{}; reader.next(name);)
            add(all[wide_hash_of(name.text)], one);
    }
    return all;
}

using meaning = date_phrase::meaning;
// Longer ones first where one begins with another.
constexpr date_phrase phrases[] = {
    {"一昨日", meaning::days_back, 2}, {"おととい", meaning::days_back, 2}, {"前天", meaning::days_back, 2},
    {"그저께", meaning::days_back, 2}, {"昨日", meaning::days_back, 1},     {"昨天", meaning::days_back, 1},
    {"きのう", meaning::days_back, 1}, {"어제", meaning::days_back, 1},     {"เมื่อวาน", meaning::days_back, 1},
    {"今日", meaning::days_back, 0},   {"今天", meaning::days_back, 0},     {"오늘", meaning::days_back, 0},
    {"วันนี้", meaning::days_back, 0},    {"先週", meaning::last, 2},          {"上个星期", meaning::last, 2},
    {"上週", meaning::last, 2},        {"지난주", meaning::last, 2},        {"지난 주", meaning::last, 2},
    {"先月", meaning::last, 3},        {"上个月", meaning::last, 3},        {"上個月", meaning::last, 3},
    {"지난달", meaning::last, 3},      {"지난 달", meaning::last, 3},       {"去年", meaning::last, 4},
    {"昨年", meaning::last, 4},        {"작년", meaning::last, 4},          {"今週", meaning::running, 2},
    {"这周", meaning::running, 2},     {"本周", meaning::running, 2},       {"이번 주", meaning::running, 2},
    {"今月", meaning::running, 3},     {"这个月", meaning::running, 3},     {"本月", meaning::running, 3},
    {"이번 달", meaning::running, 3},  {"今年", meaning::running, 4},       {"올해", meaning::running, 4},
    {"月曜", meaning::weekday, 1},     {"火曜", meaning::weekday, 2},       {"水曜", meaning::weekday, 3},
    {"木曜", meaning::weekday, 4},     {"金曜", meaning::weekday, 5},       {"土曜", meaning::weekday, 6},
    {"日曜", meaning::weekday, 7},     {"星期一", meaning::weekday, 1},     {"星期二", meaning::weekday, 2},
    {"星期三", meaning::weekday, 3},   {"星期四", meaning::weekday, 4},     {"星期五", meaning::weekday, 5},
    {"星期六", meaning::weekday, 6},   {"星期日", meaning::weekday, 7},     {"星期天", meaning::weekday, 7},
    {"周一", meaning::weekday, 1},     {"周二", meaning::weekday, 2},       {"周三", meaning::weekday, 3},
    {"周四", meaning::weekday, 4},     {"周五", meaning::weekday, 5},       {"周六", meaning::weekday, 6},
    {"周日", meaning::weekday, 7},     {"上周", meaning::last, 2},          {"上星期", meaning::last, 2},
    {"월요일", meaning::weekday, 1},   {"화요일", meaning::weekday, 2},     {"수요일", meaning::weekday, 3},
    {"목요일", meaning::weekday, 4},   {"금요일", meaning::weekday, 5},     {"토요일", meaning::weekday, 6},
    {"일요일", meaning::weekday, 7},
};

}  // namespace

date_word const& date_word_of(string_view word) {
    static auto const all = read_rows();
    static date_word const none;
    auto const at = all.find(wide_hash_of(word));
    return at == all.end() ? none : at->second;
}

date_phrase const* date_phrase_at(string_view text) {
    if (text.empty() || static_cast<unsigned char>(text.front()) < 0xE0) return nullptr;
    auto const* const at =
        std::ranges::find_if(phrases, [text](date_phrase const& one) { return text.starts_with(one.text); });
    return at == std::end(phrases) ? nullptr : at;
}

}  // namespace engram::recall
