#include "processors/journey/sentiment/words.h"

/* Chosen for few false alarms rather than for completeness: «fire» alone is as often praise, «caught fire» is not. */
const struct dictionary_list alarm_lists[] = {
    {ALARM_LEAVING,
     "cancel_my cancelling_my canceling_my cancel_our cancel_the_contract cancel_subscription close_my_account closing_my_account "
     "delete_my_account switching_to switch_to_another switch_provider switching_provider* leaving_you i'm_leaving i_am_leaving im_leaving "
     "going_elsewhere go_elsewhere business_elsewhere shop_elsewhere never_again never_buy* never_order* never_shop* never_fly* "
     "never_come_back never_coming_back never_return* never_use never_using won't_be_back wont_be_back not_coming_back not_be_back won't_return "
     "this_is_the_last last_time_i_will last_time_i_order last_time_i_fly last_time_i_buy last_time_i_use last_order lost_a_customer lost_me lost_my_business done_with_you i'm_done_with im_done_with not_renew* won't_renew "
     "don't_renew unsubscrib* your_competitor* the_competition to_a_competitor"},
    {ALARM_LEAVING,
     "kündige kündigen kündigung gekündigt wechsle_zu wechsle_den wechsle_jetzt anbieter_wechseln wechseln_zu anbieterwechsel zur_konkurrenz nie_wieder "
     "nie_mehr war_das_letzte_mal letzte_bestellung konto_löschen konto_schließen account_löschen vertrag_beenden kunde_verloren nicht_verlänger* "
     "nicht_mehr_bestellen bestelle_nie"},
    {ALARM_LEAVING,
     "résilier résilie résiliation je_vous_quitte je_quitte je_pars changer_d_opérateur changer_de_fournisseur changer_de_banque je_change_de chez_le_concurrent "
     "chez_un_concurrent à_la_concurrence plus_jamais jamais_plus c_est_la_dernière dernière_commande fermer_mon_compte clôturer_mon_compte "
     "supprimer_mon_compte me_désabonner perdu_un_client perdu_une_cliente ne_reviendrai ne_commanderai annuler_mon_abonnement"},
    {ALARM_LEAVING,
     "disdire disdetta disdico recedere recesso passo_alla_concorrenza alla_concorrenza cambio_operatore cambiare_operatore cambio_gestore mai_più è_l_ultima_volta "
     "ultimo_ordine chiudere_il_mio cancellare_il_mio cliente_perso non_rinnov* perso_un_cliente non_tornerò non_comprerò"},
    {ALARM_LEAVING,
     "cancelar_minha cancelar_meu cancelar_a_assinatura cancelar_o_contrato encerrar_minha encerrar_minha_conta fechar_minha_conta excluir_minha_conta mudar_de_operadora "
     "trocar_de_operadora vou_para_a_concorrência para_a_concorrência na_concorrência nunca_mais jamais_compr* foi_a_última_vez última_compra perderam_um_cliente "
     "perderam_uma_cliente perdeu_um_cliente perdeu_uma_cliente não_compro_mais não_volto não_vou_renovar rescindir"},
    {ALARM_LEAVING,
     "cancelar_mi cancelar_el_contrato darme_de_baja dar_de_baja me_doy_de_baja me_cambio_a me_voy_a_la me_cambio_de cambiar_de_compañía cambiarme_de "
     "la_competencia nunca_más es_la_última_vez última_compra cerrar_mi_cuenta eliminar_mi_cuenta perdieron_un_cliente perdido_un_cliente no_vuelvo "
     "no_volveré no_compro_más no_renov*"},
    {ALARM_LAW,
     "lawyer* attorney* solicitor* lawsuit* sue suing sued legal_action legal_advice legal_proceedings legal_department take_you_to_court see_you_in_court in_court to_court "
     "small_claims class_action prosecut* ombudsman trading_standards consumer_protection consumer_rights better_business_bureau attorney_general report_you_to "
     "police data_protection_authority press_charges breach_of_contract"},
    {ALARM_LAW,
     "anwalt* anwält* rechtsanwalt* rechtsanwält* verklag* klage_einreichen klage_erheben rechtliche_schritte rechtsweg rechtsschutz* vor_gericht gerichtlich* "
     "strafanzeige* anzeige_erstatt* zur_polizei bei_der_polizei die_polizei_gerufen polizei_einschalten polizei_rufen verbraucherzentrale* verbraucherschutz* schlichtungsstelle* bundesnetzagentur mahnbescheid* juristisch*"},
    {ALARM_LAW,
     "avocat avocats avocate avocates tribunal tribunaux porter_plainte porte_plainte déposer_plainte dépose_plainte déposer_une_plainte poursuites_judiciaires "
     "poursuivre_en_justice en_justice la_justice voie_judiciaire action_juridique dgccrf huissier* mise_en_demeure médiateur police gendarmerie que_choisir"},
    {ALARM_LAW,
     "avvocat* tribunal* denunci* querel* azione_legale azioni_legali vie_legali per_vie_legali causa_legale farò_causa fare_causa adiconsum codacons "
     "altroconsumo carabinieri polizia giudice_di_pace diffida"},
    {ALARM_LAW,
     "advogad* processar_vocês processar_a_empresa processar_essa vou_processar processo_judicial procon justiça juizado ação_judicial medidas_legais "
     "medidas_judiciais judicialmente polícia boletim_de_ocorrência direito_do_consumidor código_de_defesa tribunal"},
    {ALARM_LAW,
     "abogad* demandar demandarlos demandarles voy_a_demandar demanda_judicial denunciar denunciarlos denunciaré denuncia tribunal* juzgado* acciones_legales "
     "vía_judicial profeco facua oficina_del_consumidor defensa_del_consumidor derechos_del_consumidor policía juicio"},
    {ALARM_SAFETY,
     "caught_fire catch_fire catches_fire went_up_in_flames in_flames on_fire_and fire_hazard burst_into explod* explosion* smoke_coming smoking_and overheat* burned_my burnt_my "
     "burned_me burnt_me burn_mark* electric_shock* electrocut* short_circuit* gas_leak* carbon_monoxide injur* bleeding hospital hospitals hospitalized ambulance emergency_room "
     "allergic_reaction* anaphyla* chok* food_poison* poisoned toxic contaminated unsafe not_safe dangerous safety_hazard safety_issue* hazardous "
     "could_have_died nearly_died almost_died life_threatening suicid* kill_myself brakes_failed brake_failure airbag*"},
    {ALARM_SAFETY,
     "brand_geraten feuer_gefangen in_flammen brandgefahr brandgeruch explodier* explosion* stromschlag* stromschläge kurzschluss* verbrannt* verbrennung* rauchentwicklung "
     "überhitz* verletzt* verletzung* krankenhaus notaufnahme notarzt rettungswagen allergische_reaktion* vergift* lebensmittelvergiftung lebensgefahr "
     "lebensgefährlich* gefährlich* gasleck giftig* erstick* selbstmord* suizid* bremsen_versag* gesundheitsgefahr* kontaminiert*"},
    {ALARM_SAFETY,
     "pris_feu prend_feu en_feu incendie* explosé explose explosion* électrocut* décharge_électrique choc_électrique court_circuit brûlé brûlée brûlure* fumée "
     "surchauff* blessé blessée blessure* hôpital urgences ambulance réaction_allergique intoxication* empoisonn* toxique* dangereux dangereuse* danger "
     "fuite_de_gaz étouff* suicid* contaminé* mise_en_danger"},
    {ALARM_SAFETY,
     "preso_fuoco prende_fuoco in_fiamme incendi* esplos* esplod* scossa_elettrica fulminat* cortocircuito bruciat* ustion* surriscald* ferit* ospedale pronto_soccorso "
     "ambulanza reazione_allergica intossicazion* avvelen* tossic* pericolos* pericolo fuga_di_gas soffoc* suicid* contaminat*"},
    {ALARM_SAFETY,
     "pegou_fogo pegando_fogo em_chamas incêndio* explodiu explodir explosão choque_elétrico levei_choque curto_circuito queimou_minha queimou_meu queimadura* fumaça superaquec* "
     "ferido ferida feriu machucou ferimento* hospital pronto_socorro ambulância reação_alérgica intoxica* envenena* tóxic* perigos* perigo vazamento_de_gás "
     "sufoc* engasg* suicíd* contaminad*"},
    {ALARM_SAFETY,
     "prendió_fuego prende_fuego se_incendió en_llamas incendio* explotó explota explosión explosiones descarga_eléctrica electrocut* cortocircuito corto_circuito me_quemó "
     "quemadura* humo sobrecalent* sobrecalient* herido herida heridas lesión lesiones hospital urgencias ambulancia reacción_alérgica intoxica* "
     "envenena* tóxic* peligros* peligro fuga_de_gas asfix* atragant* suicid* contaminad*"},
};

const size_t alarm_list_count = sizeof alarm_lists / sizeof *alarm_lists;
